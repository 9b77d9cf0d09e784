import fs from 'node:fs';
import path from 'node:path';
import { specificationsOf } from '../../../components/read-stack';
import { parseStack } from '../../../core/settings/parse';
import { assertOwnStack } from '../../../jobs/own-stack';
import { removeTempDirs, tempDir } from '../../support/temp';

afterAll(removeTempDirs);

const specification = (stack: string) =>
  specificationsOf(stack, parseStack({ environment: 'staging', clusters: { main: {} } }))[0]!;

function applied(stack: string): string {
  const home = tempDir();
  const directory = path.join(home, 'clusters/main');
  fs.mkdirSync(directory, { recursive: true });
  fs.writeFileSync(path.join(directory, 'specification.json'), JSON.stringify(specification(stack)));
  return home;
}

test('a cluster is its own stack’s', () =>
  expect(assertOwnStack(applied('holdfast/one'), specification('holdfast/one'))).resolves.toBeUndefined());

test('a cluster that isn’t there yet is anybody’s', () =>
  expect(assertOwnStack(tempDir(), specification('holdfast/one'))).resolves.toBeUndefined());

test('a cluster of another stack is refused, with what to do', () =>
  expect(assertOwnStack(applied('holdfast/one'), specification('holdfast/two'))).rejects.toMatchObject({
    code: 'refused',
    message: expect.stringContaining('belongs to the stack holdfast/one, not to holdfast/two') as string,
    hint: expect.stringContaining('another name') as string,
  }));
