/** Training over ONNX Runtime's C API: on CUDA where it is here, and with the processor in CUDA's place. */
import { cudaDevices } from './cuda-devices.js';
import { trainingCases } from './train-device-cases.js';

for (const { name, skip, open } of await cudaDevices()) trainingCases(name, skip, open);
