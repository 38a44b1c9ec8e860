/** The test of exactly-once under random faults alone, for `npm run test:seeds` and, seed by seed, `npm run test:long`. */
export default {
  files: ['dist/test/integration/exactly-once.test.js'],
  workerThreads: false,
  timeout: '15m',
};
