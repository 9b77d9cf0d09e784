import { createRequire } from 'node:module';
import fs from 'node:fs';
import path from 'node:path';
import { repositoryRoot } from '../support/pulumi';
import { succeed } from '../support/processes';
import { removeTempDirs, tempDir } from '../support/temp';
import { soundEvidence } from './support/fixtures';
import { packDirectory, TestProgram } from './support/program';

afterAll(removeTempDirs);

test('the npm package works without the checkout, and gates a stack that has no settings of Holdfast', async () => {
  const { makePackage } = createRequire(__filename)(path.join(packDirectory, 'build.cjs')) as {
    makePackage: (target: string) => Promise<string>;
  };
  const target = await makePackage(path.join(tempDir(), 'holdfast policy'));
  const manifest = JSON.parse(fs.readFileSync(path.join(target, 'package.json'), 'utf8')) as {
    name: string;
    dependencies: Record<string, string>;
  };
  expect(manifest.name).toBe('@holdfast/policy');
  // As npm would install them.
  for (const name of Object.keys(manifest.dependencies)) {
    const link = path.join(target, 'node_modules', name);
    fs.mkdirSync(path.dirname(link), { recursive: true });
    fs.symlinkSync(path.join(repositoryRoot, 'node_modules', name), link);
  }

  const program = await new TestProgram().init();
  const unsafe = await program.preview({
    pack: target,
    evidence: soundEvidence({ backups: [] }, new Date().toISOString()),
  });
  expect(unsafe.code).not.toBe(0);
  expect(unsafe.stdout).toContain('cluster shop: there is no backup');
  const safe = await program.preview({ pack: target, evidence: soundEvidence({}, new Date().toISOString()) });
  expect([safe.code, safe.stderr]).toEqual([0, '']);

  const help = await succeed(process.execPath, [path.join(target, 'scripts/machine.cjs'), '--help']);
  expect(help).toContain('holdfast');
});
