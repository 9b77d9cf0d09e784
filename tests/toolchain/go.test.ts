import os from 'node:os';
import path from 'node:path';
import { components } from '../../toolchain/components';
import { ensureToolchain } from '../../toolchain/install';
import { stateOf } from '../../toolchain/state';
import { run } from '../support/processes';
import { repositoryRoot } from '../support/pulumi';

const goModule = path.join(repositoryRoot, 'toolchain');

/** Where Pulumi's own programs are installed there may be no Go, and nothing of ours is used. */
test('the programs that are built here pass their own tests', async () => {
  await ensureToolchain({ projectDirectory: repositoryRoot, report: () => undefined });
  const pulumiHome = process.env.PULUMI_HOME ?? path.join(os.homedir(), '.pulumi');
  const states = await Promise.all(components.map(component => stateOf(component, pulumiHome, goModule)));
  if (!states.includes('ours')) return;
  const tested = await run('go', ['test', './...'], { cwd: goModule });
  expect(tested.stdout).toContain('ok');
  expect({ code: tested.code, failures: failures(tested.stdout + tested.stderr) }).toEqual({
    code: 0,
    failures: [],
  });
}, 600_000);

/** All but what Go says of packages that pass, have no tests, or whose modules it had to fetch first. */
function failures(output: string): string[] {
  return output
    .split('\n')
    .filter(line => line !== '' && !/^(ok|\?|go: downloading) /.test(line.replace('\t', ' ')));
}
