import fs from 'node:fs';
import path from 'node:path';
import ts from 'typescript';

/** What a property may be. An enumeration and a reference to a resource are strings. */
export type Kind =
  | 'string'
  | 'number'
  | 'boolean'
  | 'anything'
  /** A document of JSON, as text or as the object that it is. */
  | 'document'
  | { readonly list: Kind }
  | { readonly map: Kind }
  /** Name of an interface of `types/input.d.ts` or `types/output.d.ts`, as in `rds.InstanceS3Import`. */
  | { readonly object: string };

export interface Property {
  readonly kind: Kind;
  readonly optional: boolean;
}

export type Interface = Readonly<Record<string, Property>>;

/** What the SDK for Node.js says of its resources and functions, read from its own declarations. */
export class SdkTypes {
  private readonly inputs: Namespaces;
  private readonly outputs: Namespaces;

  /** @param directory of the npm package `@pulumi/aws` */
  constructor(private readonly directory: string) {
    this.inputs = new Namespaces(path.join(directory, 'types', 'input.d.ts'));
    this.outputs = new Namespaces(path.join(directory, 'types', 'output.d.ts'));
  }

  /** What a resource takes. @param token as in `aws:rds/instance:Instance` */
  args(token: string): Interface {
    return this.declared(token, `${className(token)}Args`);
  }

  /** What a resource has once it exists. */
  state(token: string): Interface {
    return this.declared(token, className(token));
  }

  /** What a function takes, as in `aws:ec2/getVpc:getVpc`. */
  functionArgs(token: string): Interface {
    return this.declared(token, `${capitalised(className(token))}Args`);
  }

  /** What a function answers. */
  functionResult(token: string): Interface {
    return this.declared(token, `${capitalised(className(token))}Result`);
  }

  /** The interface of an object among inputs. */
  input(name: string): Interface {
    return this.inputs.interface(name);
  }

  output(name: string): Interface {
    return this.outputs.interface(name);
  }

  private declared(token: string, name: string): Interface {
    const file = path.join(this.directory, `${modulePath(token)}.d.ts`);
    for (const statement of parse(file).statements)
      if (isMembered(statement) && statement.name?.text === name) return interfaceOf(statement);
    throw new Error(`${file} declares no ${name}`);
  }
}

/** `aws:rds/instance:Instance` → `rds/instance`; `aws:index/getRegion:getRegion` → `getRegion`. */
function modulePath(token: string): string {
  return (token.split(':')[1] ?? '').replace(/^index\//, '');
}

function capitalised(name: string): string {
  return name.charAt(0).toUpperCase() + name.slice(1);
}

function className(token: string): string {
  return token.split(':')[2] ?? '';
}

/** A file of namespaces of interfaces. Only the namespace that is asked for is parsed: each file has 90,000 lines. */
class Namespaces {
  private text: string | undefined;
  private readonly parsed = new Map<string, ts.Statement[]>();

  constructor(private readonly file: string) {}

  interface(name: string): Interface {
    const parts = name.split('.');
    const wanted = parts.pop();
    const found = this.namespace(parts.join('.')).find(
      (statement): statement is ts.InterfaceDeclaration =>
        ts.isInterfaceDeclaration(statement) && statement.name.text === wanted,
    );
    if (found === undefined) throw new Error(`${this.file} declares no ${name}`);
    return interfaceOf(found);
  }

  private namespace(name: string): readonly ts.Statement[] {
    const known = this.parsed.get(name);
    if (known !== undefined) return known;
    this.text ??= fs.readFileSync(this.file, 'utf8');
    const head = `export declare namespace ${name} {`;
    const start = this.text.indexOf(`\n${head}`) + 1;
    const end = this.text.indexOf('\n}', start) + 2;
    if (start === 0) throw new Error(`${this.file} has no namespace ${name}`);
    const source = ts.createSourceFile(this.file, this.text.slice(start, end), ts.ScriptTarget.Latest);
    const statements = source.statements.flatMap(statement =>
      ts.isModuleDeclaration(statement) && statement.body !== undefined && ts.isModuleBlock(statement.body)
        ? [...statement.body.statements]
        : [],
    );
    this.parsed.set(name, statements);
    return statements;
  }
}

type Membered = ts.InterfaceDeclaration | ts.ClassDeclaration;

function isMembered(node: ts.Node): node is Membered {
  return ts.isInterfaceDeclaration(node) || ts.isClassDeclaration(node);
}

function parse(file: string): ts.SourceFile {
  return ts.createSourceFile(file, fs.readFileSync(file, 'utf8'), ts.ScriptTarget.Latest);
}

function interfaceOf(declaration: Membered): Interface {
  const properties: Record<string, Property> = {};
  for (const member of declaration.members) {
    if (!ts.isPropertySignature(member) && !ts.isPropertyDeclaration(member)) continue;
    if (member.type === undefined || !ts.isIdentifier(member.name)) continue;
    if (ts.getCombinedModifierFlags(member) & ts.ModifierFlags.Static) continue;
    properties[member.name.text] = {
      kind: kindOf(member.type),
      optional: member.questionToken !== undefined || mayBeUndefined(member.type),
    };
  }
  return properties;
}

/** Whether `T | undefined` is said, within Pulumi's wrappers. */
function mayBeUndefined(node: ts.TypeNode): boolean {
  const inner = unwrapped(node);
  return ts.isUnionTypeNode(inner) && inner.types.some(type => type.kind === ts.SyntaxKind.UndefinedKeyword);
}

function unwrapped(node: ts.TypeNode): ts.TypeNode {
  if (ts.isParenthesizedTypeNode(node)) return unwrapped(node.type);
  const [argument] = ts.isTypeReferenceNode(node) ? (node.typeArguments ?? []) : [];
  return argument !== undefined && /^pulumi\.(Input|Output)$/.test(nameOf(node)) ? unwrapped(argument) : node;
}

function kindOf(wrapped: ts.TypeNode): Kind {
  const node = unwrapped(wrapped);
  if (ts.isUnionTypeNode(node)) return unionKind(node);
  if (ts.isArrayTypeNode(node)) return { list: kindOf(node.elementType) };
  if (ts.isTypeLiteralNode(node)) {
    const [index] = node.members;
    return index !== undefined && ts.isIndexSignatureDeclaration(index)
      ? { map: kindOf(index.type) }
      : 'anything';
  }
  if (node.kind === ts.SyntaxKind.StringKeyword) return 'string';
  if (node.kind === ts.SyntaxKind.NumberKeyword) return 'number';
  if (node.kind === ts.SyntaxKind.BooleanKeyword) return 'boolean';
  if (!ts.isTypeReferenceNode(node)) return 'anything';
  const [, name] = /^(?:inputs|outputs)\.(.+)$/.exec(nameOf(node)) ?? [];
  if (name !== undefined) return { object: name };
  return nameOf(node).startsWith('pulumi.') ? 'anything' : 'string';
}

/** Of `string | SomeEnumeration` the first says it all; `string | inputs.iam.PolicyDocument` is a document. */
function unionKind(node: ts.UnionTypeNode): Kind {
  const kinds = node.types.filter(type => type.kind !== ts.SyntaxKind.UndefinedKeyword).map(kindOf);
  const [first = 'anything'] = kinds;
  return first === 'string' && kinds.some(kind => typeof kind === 'object') ? 'document' : first;
}

function nameOf(node: ts.TypeNode): string {
  if (!ts.isTypeReferenceNode(node)) return '';
  const parts: string[] = [];
  let name: ts.EntityName = node.typeName;
  for (; ts.isQualifiedName(name); name = name.left) parts.unshift(name.right.text);
  return [name.text, ...parts].join('.');
}
