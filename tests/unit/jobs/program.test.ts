import fs from 'node:fs';
import { ownProgram } from '../../../jobs/program';

afterEach(() => {
  Reflect.deleteProperty(globalThis, 'HOLDFAST_PROGRAM_HASH');
  Reflect.deleteProperty(globalThis, 'HOLDFAST_PROGRAM_KIND');
});

test('unbundled, the program is made of the sources', () => {
  const { file, hash } = ownProgram();
  expect(file).toContain(hash);
  expect(fs.existsSync(file)).toBe(true);
});

test('bundled, it is the file that runs', () => {
  Object.assign(globalThis, { HOLDFAST_PROGRAM_HASH: 'abc', HOLDFAST_PROGRAM_KIND: 'machine' });
  expect(ownProgram()).toEqual({ file: require.resolve('../../../jobs/program'), hash: 'abc' });
});

test('one that stands alone isn’t another', () => {
  Object.assign(globalThis, { HOLDFAST_PROGRAM_HASH: 'abc', HOLDFAST_PROGRAM_KIND: 'machine' });
  const there = jest.spyOn(fs, 'existsSync').mockReturnValue(false);
  expect(() => ownProgram('aws')).toThrow('this program is the one for machine, and stands alone');
  there.mockRestore();
});

test('the program for machines leaves AWS’s SDK to the other one, which the checkout makes', () => {
  Object.assign(globalThis, { HOLDFAST_PROGRAM_HASH: 'abc', HOLDFAST_PROGRAM_KIND: 'machine' });
  const aws = ownProgram('aws');
  Reflect.deleteProperty(globalThis, 'HOLDFAST_PROGRAM_HASH');
  const machine = ownProgram();
  const includesSdk = ({ file }: { file: string }) =>
    fs.readFileSync(file, 'utf8').includes('DescribeDBSnapshots');
  expect([aws, machine].map(includesSdk)).toEqual([true, false]);
});
