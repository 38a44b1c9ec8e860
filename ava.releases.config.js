/**
 * What may differ from one release of Node.js to another; CI runs it on each. Left out is what takes long and depends on the release no more
 * than the rest does: gradients and kernels of C++, networks beside their references, training, benchmarks, and what is interrupted again and again.
 */
export default {
  files: [
    'dist/test/**/*.test.js',
    '!dist/test/bench/**',
    '!dist/test/cli/{embed-anew,embed-resume,embed-stores,summary,train}.test.js',
    '!dist/test/connectors/kafka/kafka-worker.test.js',
    '!dist/test/integration/**',
    '!dist/test/model/compressive-transformer*.test.js',
    '!dist/test/model/engine/fused/**',
    '!dist/test/training/**',
  ],
  workerThreads: false,
  concurrency: 2,
  timeout: '3m',
};
