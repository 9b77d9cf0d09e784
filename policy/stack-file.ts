import fs from 'node:fs';
import path from 'node:path';
import type * as yaml from 'yaml';

/*
 * The stack file as it is written. Pulumi hands the configuration to a pack in clear and doesn't say which of it was
 * `secure:`; only the file does.
 */

export type StackFile =
  | { readonly state: 'found'; readonly path: string; readonly config: Readonly<Record<string, unknown>> }
  | { readonly state: 'missing'; readonly reason: string };

export interface StackFileRequest {
  readonly project: string;
  readonly stack: string;
  /** Where to look for the project, and in its parents. */
  readonly directories: readonly string[];
  /** The file itself, when it isn't where Pulumi puts it. */
  readonly file?: string | undefined;
}

/** Finds and reads a stack file: `Pulumi.<stack>.yaml` beside the Pulumi.yaml of the project. Never throws. */
export function readStackFile(request: StackFileRequest): StackFile {
  try {
    const file = request.file ?? locate(request);
    if (file === undefined)
      return {
        state: 'missing',
        reason: `Pulumi.yaml of the project ${request.project} was not found in ${request.directories.join(', ')} or above`,
      };
    const { config } = parseYaml(file);
    return { state: 'found', path: file, config: isMap(config) ? config : {} };
  } catch (error) {
    return { state: 'missing', reason: (error as Error).message };
  }
}

function locate({ project, stack, directories }: StackFileRequest): string | undefined {
  for (const directory of directories.flatMap(withParents)) {
    const projectFile = ['Pulumi.yaml', 'Pulumi.yml']
      .map(name => path.join(directory, name))
      .find(file => fs.existsSync(file));
    if (projectFile === undefined) continue;
    const { name, stackConfigDir } = parseYaml(projectFile);
    if (name !== project) continue;
    const folder = typeof stackConfigDir === 'string' ? path.resolve(directory, stackConfigDir) : directory;
    return path.join(folder, `Pulumi.${stack}.yaml`);
  }
  return undefined;
}

function withParents(directory: string): string[] {
  const parent = path.dirname(directory);
  return parent === directory ? [directory] : [directory, ...withParents(parent)];
}

function parseYaml(file: string): Record<string, unknown> {
  // Loaded only where a setting has to be secret: it takes longer than the rest of the pack.
  // eslint-disable-next-line @typescript-eslint/no-require-imports
  const { parse } = require('yaml') as typeof yaml;
  const content: unknown = parse(fs.readFileSync(file, 'utf8'));
  if (!isMap(content)) throw new Error(`${file} is not a map`);
  return content;
}

export function isMap(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
