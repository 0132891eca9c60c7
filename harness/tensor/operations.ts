/** The operations that model and loss code is written in: tfjs's functional API. No other room imports tfjs. */
export * from '@tensorflow/tfjs-core';
