import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { installMoto } from '../moto/install';
import { repositoryRoot } from '../pulumi';
import { tempDir } from '../temp';
import type { Installation } from './provider';

/** As in package.json; the engine asks for the plugin of the SDK's version. */
export const awsVersion = '7.48.0';

/**
 * A PULUMI_HOME of the test's own, with Pulumi's programs as they are installed and the provider plugin `aws` for tests.
 * `~/.pulumi` is never written to: nobody's real stack may get this plugin.
 */
export async function homeWithAwsProvider(): Promise<string> {
  const installed = process.env.PULUMI_HOME ?? path.join(os.homedir(), '.pulumi');
  const home = tempDir(0o700);
  for (const directory of ['versions', 'plugins'])
    for (const name of fs.readdirSync(path.join(installed, directory)))
      if (!name.startsWith('.'))
        mirror(path.join(installed, directory, name), path.join(home, directory, name));
  await installPlugin(path.join(home, 'plugins', `resource-aws-v${awsVersion}`));
  return home;
}

/** Directories are made and files are linked: the engine overlooks plugins whose directory is a link. */
function mirror(from: string, to: string): void {
  if (fs.statSync(from).isDirectory()) {
    fs.mkdirSync(to, { recursive: true });
    for (const name of fs.readdirSync(from)) mirror(path.join(from, name), path.join(to, name));
  } else {
    fs.mkdirSync(path.dirname(to), { recursive: true });
    fs.symlinkSync(from, to);
  }
}

/** What the provider reads and runs: the SDK, and the botocore that moto brings. */
export async function awsInstallation(): Promise<Installation> {
  const python = await installMoto(line => console.error(line));
  const sdk = path.join(repositoryRoot, 'node_modules/@pulumi/aws');
  return { sdk, python, models: modelsOf(python) };
}

async function installPlugin(directory: string): Promise<void> {
  const installation = await awsInstallation();
  fs.rmSync(directory, { recursive: true, force: true });
  fs.mkdirSync(directory, { recursive: true });
  const tsx = path.join(repositoryRoot, 'node_modules/tsx/dist/cjs/index.cjs');
  fs.writeFileSync(
    path.join(directory, 'pulumi-resource-aws'),
    [
      `#!${process.execPath}`,
      `require(${JSON.stringify(tsx)});`,
      `require(${JSON.stringify(path.join(__dirname, 'main.ts'))}).serve(${JSON.stringify(installation)}, '${awsVersion}');`,
      '',
    ].join('\n'),
    { mode: 0o755 },
  );
}

/** Where the botocore of a virtual environment keeps what AWS says of its APIs. */
function modelsOf(python: string): string {
  const libraries = path.join(path.dirname(path.dirname(python)), 'lib');
  const [version] = fs.readdirSync(libraries).filter(name => name.startsWith('python3'));
  return path.join(libraries, version ?? '', 'site-packages/botocore/data');
}
