/** The operations that model and loss code is written in: tfjs's functional API. No other room imports tfjs. */
import './gradients.js';

export * from '@tensorflow/tfjs-core';
