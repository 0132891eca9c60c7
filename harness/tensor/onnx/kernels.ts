/** How each tfjs kernel is written in ONNX. A kernel that is not here fails with its name when a program uses it. */
import './kernels/elementwise.js';
import './kernels/layers.js';
import './kernels/products.js';
import './kernels/reductions.js';
import './kernels/shapes.js';
