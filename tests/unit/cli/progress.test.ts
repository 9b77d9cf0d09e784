import { createProgress } from '../../../cli/progress';
import { testIo } from './support';

test('away from a terminal, a step is a line, and so is every tenth of it', () => {
  const io = testIo();
  const { report, stop } = createProgress(io);
  report({ fraction: null, step: 'starting' });
  report({ fraction: null, step: 'starting' });
  for (let done = 0; done <= 100; done++)
    report({ fraction: done / 100, step: `copying ${(done / 50).toFixed(2)} of 2 GB` });
  stop();
  const lines = io.err().trim().split('\n');
  expect(lines).toHaveLength(12);
  expect(lines.slice(0, 2)).toEqual(['starting', 'copying 0.00 of 2 GB (0 %)']);
  expect(lines.at(-1)).toBe('copying 2.00 of 2 GB (100 %)');
});

test('on a terminal a bar is drawn, and cleared before the next line', () => {
  const io = testIo({ terminal: true });
  Object.assign(io.stderr, { isTTY: true, columns: 80, cursorTo: () => true, clearLine: () => true });
  const { report, stop } = createProgress(io);
  report({ fraction: 0.5, step: 'copying' });
  report({ fraction: null, step: 'checking' });
  stop();
  expect(io.err()).toMatch(/50 % \| copying \| ends in \S+/);
  expect(io.err()).toMatch(/checking\n$/);
});
