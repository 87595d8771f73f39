// Loaded into each test process of node:test: tells an ordinary end from process.exit().
if (/^child/.test(process.env.NODE_TEST_CONTEXT ?? '')) {
  let ordinary = false;
  process.on('beforeExit', () => {
    ordinary = true;
  });
  process.on('exit', (code) => {
    if (!ordinary) emit({ t: 'exit', file: process.argv[1], code });
  });
}
