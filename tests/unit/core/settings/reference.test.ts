import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { leaves } from '../../../../core/settings/schema';
import { stack } from '../../../../core/settings/stack';

const root = path.resolve(__dirname, '../../../..');
const docs = (...args: string[]) =>
  spawnSync(process.execPath, [path.join(root, 'scripts/docs.mjs'), ...args], { encoding: 'utf8' });

describe('the reference page of the settings', () => {
  let directory: string;
  beforeEach(() => (directory = fs.mkdtempSync(path.join(os.tmpdir(), 'holdfast-docs-'))));
  afterEach(() => fs.rmSync(directory, { recursive: true, force: true }));

  test('is up to date', () => expect(docs('--check')).toMatchObject({ status: 0, stderr: '' }));

  test('is refused when it is out of date or missing, and made anew', () => {
    const file = path.join(directory, 'configuration.md');
    expect(docs('--check', '--file', file).status).toBe(4);
    fs.writeFileSync(file, '# Configuration\n');
    expect(docs('--check', '--file', file)).toMatchObject({
      status: 4,
      stderr: expect.stringContaining('npm run docs') as string,
    });
    expect(docs('--file', file).status).toBe(0);
    expect(docs('--check', '--file', file).status).toBe(0);
  });

  test('has every setting, with a description', () => {
    const page = fs.readFileSync(path.join(root, 'docs/configuration.md'), 'utf8');
    for (const { path: setting } of leaves(stack)) {
      const names = setting.split('.').filter(part => part !== '*');
      expect(page).toMatch(new RegExp(`^\\| \`(holdfast:)?${names.at(-1)!}\` \\|`, 'm'));
    }
    const undescribed = page.split('\n').filter(line => /^\| `.*\|\s*\|$/.test(line));
    expect(undescribed).toEqual([]);
  });
});
