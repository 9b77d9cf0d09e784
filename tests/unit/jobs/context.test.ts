import fs from 'node:fs';
import path from 'node:path';
import { inspect } from 'node:util';
import { clusterDirectory, clusterNames, findSpecification, readSpecification } from '../../../jobs/context';
import { removeTempDirs, tempDir } from '../../support/temp';
import { specification } from './fake-engine';

afterAll(removeTempDirs);

/** A home in which these files are, by path below `clusters/`; without content they are directories. */
function homeWith(files: Readonly<Record<string, string | null>>): string {
  const home = tempDir();
  for (const [name, content] of Object.entries(files)) {
    const file = path.join(home, 'clusters', name);
    fs.mkdirSync(content === null ? file : path.dirname(file), { recursive: true });
    if (content !== null) fs.writeFileSync(file, content);
  }
  return home;
}

describe('the clusters of a machine', () => {
  test('are none where nothing was provisioned', async () => {
    expect(await clusterNames(tempDir())).toEqual([]);
  });

  test('are neither what a removal left nor what is hidden, and come in order', async () => {
    const home = homeWith({ 'shop/record.json': '{}', 'crm/record.json': '{}', gone: null, '.half/x': '' });
    expect(await clusterNames(home)).toEqual(['crm', 'shop']);
  });

  test('are not taken for none where they can’t be read', async () => {
    const home = tempDir();
    fs.writeFileSync(path.join(home, 'clusters'), '');
    await expect(clusterNames(home)).rejects.toMatchObject({
      code: 'configuration',
      message: expect.stringContaining('ENOTDIR') as string,
      hint: 'Run this as the cluster’s owner, or with sudo.',
    });
  });

  test('whose entry can’t be looked into are there all the same', async () => {
    expect(await clusterNames(homeWith({ shop: 'a file' }))).toEqual(['shop']);
  });
});

describe('what a cluster shall be', () => {
  test('is read from its directory', async () => {
    const home = homeWith({ 'shop/specification.json': JSON.stringify(specification()) });
    expect(await readSpecification(home, 'shop')).toEqual(specification());
  });

  test('of an unknown name is refused, and the known ones are said', async () => {
    const unknown = (home: string) => readSpecification(home, 'nonsense');
    await expect(unknown(tempDir())).rejects.toMatchObject({
      code: 'configuration',
      hint: expect.stringContaining('None was provisioned there yet') as string,
    });
    const one = homeWith({ 'shop/record.json': '{}' });
    await expect(unknown(one)).rejects.toMatchObject({ hint: 'There is shop.' });
    const two = homeWith({ 'shop/record.json': '{}', 'crm/record.json': '{}' });
    await expect(unknown(two)).rejects.toMatchObject({ hint: 'There are crm, shop.' });
  });

  test('of a name that leads elsewhere is not looked for there', async () => {
    const home = homeWith({ 'shop/specification.json': JSON.stringify(specification()) });
    expect(clusterDirectory(home, '../clusters/shop')).toBe(path.join(home, 'clusters', 'shop'));
    expect(await findSpecification(home, '../../etc')).toBeNull();
  });

  test('that can’t be read is not taken for no cluster', async () => {
    const home = homeWith({ 'shop/specification.json': null });
    await expect(findSpecification(home, 'shop')).rejects.toMatchObject({
      code: 'configuration',
      message: expect.stringContaining('EISDIR') as string,
    });
  });

  test('that is not JSON is not quoted: it may be a secret', async () => {
    const home = homeWith({ 'shop/specification.json': 'hunter2 {' });
    const error: unknown = await findSpecification(home, 'shop').catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ message: expect.stringContaining('is not JSON') as string });
    expect(inspect(error, { depth: 9 })).not.toContain('hunter2');
  });
});
