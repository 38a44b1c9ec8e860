/** Tests on real brokers, the last part of `npm test`: they wait more than they compute. `npm run test:kafka` runs them alone. */
export default {
  files: ['dist/test/integration/**/*.test.js'],
  workerThreads: false,
  concurrency: 2,
  timeout: '5m',
};
