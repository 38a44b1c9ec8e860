/**
 * What may differ from one release of Node.js to another; CI runs it on each. Gradients and kernels of C++ do not, which take a third of
 * all time: `dist/test/cli/` trains on every release.
 */
export default {
  files: [
    'dist/test/**/*.test.js',
    '!dist/test/integration/**',
    '!dist/test/model/engine/fused/**',
    '!dist/test/training/**',
  ],
  workerThreads: false,
  concurrency: 2,
  timeout: '3m',
};
