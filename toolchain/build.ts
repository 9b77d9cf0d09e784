import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { HoldfastError } from '../core/errors';
import type { Component, Program } from './components';
import { writeMarker } from './state';
import { errorCodeOf, runSubprocess } from './subprocess';

/** Go below this can't fetch the version that the module asks for. */
const oldestGo = { major: 1, minor: 25 } as const;
const reportEveryMilliseconds = 5000;

/** Where and how a build runs. */
export interface Build {
  /** The directory of `go.mod`. */
  readonly goModule: string;
  readonly staging: string;
  readonly report: (line: string) => void;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Finds Go.
 * @returns its version, as in "go1.26.8".
 * @throws HoldfastError `configuration` when there is none, or one that is too old.
 */
export async function findGo(signal?: AbortSignal): Promise<string> {
  const needed = `Go ${oldestGo.major}.${oldestGo.minor} or newer`;
  const hint = `install ${needed} (https://go.dev/dl) so that \`go version\` works, or let this machine reach get.pulumi.com`;
  const ended = await runSubprocess({ program: 'go', args: ['version'], signal }).catch((error: unknown) => {
    if (errorCodeOf(error) !== 'ENOENT') throw error;
    throw new HoldfastError(
      'configuration',
      `Pulumi's programs can't be downloaded here, and building them needs ${needed}, which isn't installed`,
      { hint, cause: error },
    );
  });
  const [version, major, minor] = /go(\d+)\.(\d+)\S*/.exec(ended.stdout) ?? [];
  const tooOld =
    Number(major) < oldestGo.major || (Number(major) === oldestGo.major && Number(minor) < oldestGo.minor);
  if (version === undefined || tooOld)
    throw new HoldfastError(
      'configuration',
      `building Pulumi's programs needs ${needed}; installed is ${version ?? `what answers "${ended.tail}"`}`,
      { hint },
    );
  return version;
}

/**
 * Builds every program of a component in the staging directory, and marks it as ours.
 * @returns the finished directory.
 * @throws HoldfastError `engine-failed` when Go fails.
 */
export async function build(component: Component, options: Build): Promise<string> {
  const directory = path.join(options.staging, 'built');
  for (const program of component.programs) await buildProgram(program, directory, options);
  await writeMarker(component, directory, options.goModule);
  return directory;
}

async function buildProgram(program: Program, directory: string, options: Build): Promise<void> {
  const output = path.join(directory, program.output);
  await mkdir(path.dirname(output), { recursive: true });
  const name = path.basename(program.output);
  const progress = goProgress(name, options.report);
  const ended = await runSubprocess({
    program: 'go',
    args: [
      'build',
      '-v',
      // The checkout may belong to another user, whom git then doesn't trust.
      '-buildvcs=false',
      '-ldflags',
      `-s -w ${program.linkerFlags ?? ''}`,
      '-o',
      output,
      program.goPackage,
    ],
    cwd: options.goModule,
    env: buildEnvironment(options.staging),
    onLine: progress,
    signal: options.signal,
  });
  if (!ended.succeeded)
    throw new HoldfastError('engine-failed', `go build of ${name} failed:\n${ended.tail}`, {
      hint: "see what Go says; if it can't fetch modules, set GOPROXY to one that this machine reaches, and run this again",
    });
}

function buildEnvironment(staging: string): NodeJS.ProcessEnv {
  return {
    // An older Go fetches the one that go.mod asks for, which distributions turn off by default.
    GOTOOLCHAIN: 'auto',
    ...process.env,
    GOWORK: 'off',
    // Go's own temporary directory inside staging is removed with it, even when go is killed.
    GOTMPDIR: staging,
  };
}

/** Go prints a line for each module it fetches and each package it compiles: too many to show all. */
function goProgress(name: string, report: (line: string) => void): (line: string) => void {
  let fetched = 0;
  let compiled = 0;
  let lastReport = performance.now();
  return line => {
    if (line.startsWith('go: ')) fetched++;
    else compiled++;
    if (performance.now() - lastReport < reportEveryMilliseconds) return;
    lastReport = performance.now();
    report(`  ${name}: ${fetched} modules fetched, ${compiled} packages compiled`);
  };
}
