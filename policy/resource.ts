import { UnknownValueError } from '@pulumi/policy';

/** A value that isn't known in a preview; the update judges it. */
export const unknownValue = Symbol('unknown');

/** One resource of the program, as the engine registers it. */
export interface Resource {
  readonly type: string;
  readonly urn: string;
  readonly name: string;
  readonly protect: boolean;
  readonly ignoreChanges: readonly string[];
  readonly additionalSecretOutputs: readonly string[];
  /** Its inputs; secrets are in clear, and reading what isn't known yet throws. */
  readonly properties: Readonly<Record<string, unknown>>;
}

/** An input of a resource: undefined when it isn't set, `unknownValue` when it isn't known in this preview. */
export function input(resource: Resource, ...path: readonly string[]): unknown {
  try {
    return path.reduce<unknown>(
      (at, key) => (typeof at === 'object' && at !== null ? (at as Record<string, unknown>)[key] : undefined),
      resource.properties,
    );
  } catch (error) {
    if (error instanceof UnknownValueError) return unknownValue;
    throw error;
  }
}

/** Whether an input is given at all. One that isn't known yet is. */
export function isSet(resource: Resource, ...path: readonly string[]): boolean {
  const value = input(resource, ...path);
  return value !== undefined && value !== null && value !== '';
}

/** Where the elements of a list among its inputs are; none when it isn't set, or not known in this preview. */
export function elements(resource: Resource, ...path: readonly string[]): readonly (readonly string[])[] {
  const list = input(resource, ...path);
  return Array.isArray(list)
    ? Array.from({ length: list.length }, (_, index) => [...path, String(index)])
    : [];
}

/** The types of the resources that it lies in, outermost first; itself is the last. */
export function typeChain(resource: Resource): readonly string[] {
  const qualified = resource.urn.split('::')[2] ?? resource.type;
  return qualified.split('$');
}

/** Whether it is a direct child of a Holdfast component of this name. */
export function isChildOf(resource: Resource, component: string): boolean {
  const parent = typeChain(resource).at(-2) ?? '';
  return parent.startsWith('holdfast:') && parent.endsWith(`:${component}`);
}

const commands: ReadonlySet<string> = new Set(['command:local:Command', 'command:remote:Command']);

/** The Command that carries a cluster: it gets the specification on standard input. Others only bring the program there. */
export function isClusterCommand(resource: Resource): boolean {
  return (
    commands.has(resource.type) &&
    (isChildOf(resource, 'HostCluster') || isChildOf(resource, 'ProtectedRds')) &&
    input(resource, 'stdin') !== undefined
  );
}
