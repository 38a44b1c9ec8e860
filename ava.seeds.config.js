/** The test of exactly-once under random faults, which `npm run test:seeds` and `npm run test:long` run: a seed takes minutes. */
export default {
  files: ['dist/test/integration/exactly-once.test.js'],
  workerThreads: false,
  timeout: '15m',
};
