/** Training on the way to CUDA, with the processor in CUDA's place. */
import { openStandIn } from './processor-stand-in.js';
import { trainingCases } from './train-device-cases.js';

trainingCases(false, openStandIn);
