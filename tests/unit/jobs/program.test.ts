import fs from 'node:fs';
import { ownProgram } from '../../../jobs/program';

afterEach(() => {
  Reflect.deleteProperty(globalThis, 'HOLDFAST_PROGRAM_HASH');
});

test('unbundled, the program is made of the sources', () => {
  const { file, hash } = ownProgram();
  expect(file).toContain(hash);
  expect(fs.existsSync(file)).toBe(true);
});

test('bundled, it is the file that runs', () => {
  Object.assign(globalThis, { HOLDFAST_PROGRAM_HASH: 'abc' });
  expect(ownProgram()).toEqual({ file: require.resolve('../../../jobs/program'), hash: 'abc' });
});
