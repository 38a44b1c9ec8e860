/** Tests on real brokers: `npm run test:kafka`. */
export default {
  files: ['dist/test/integration/**/*.test.js'],
  workerThreads: false,
  concurrency: 1,
  timeout: '5m',
};
