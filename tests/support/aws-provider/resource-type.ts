import type { Names } from './parameters';
import type { Properties, Value } from './values';

/** One resource as its calls see it. */
export interface Resource {
  /** What Pulumi knows it by; empty until it is created. */
  readonly id: string;
  /** What it shall be. */
  readonly inputs: Properties;
  /** What is known of it: nothing until it is created. */
  readonly state: Properties;
  /** Of its inputs, what differs from before. At its creation: all. */
  readonly changed: readonly string[];
  readonly region: string;
}

export interface Request {
  readonly operation: string;
  readonly parameters: Properties;
}

/** A call whose parameters are the resource's properties. */
export interface Step {
  readonly operation: string;
  /** Only what changed is said again. @default everything */
  readonly changesOnly?: boolean;
  /** Properties that `adds` has parameters for. */
  readonly carries?: readonly string[];
  /** Parameters beyond those with the name of a property, in the words of properties or of AWS. */
  readonly adds?: (resource: Resource) => Readonly<Record<string, Value | undefined>>;
}

/** How properties are set that have calls of their own. */
export interface Setter {
  /** It is called when one of these is given at the creation, or changed. */
  readonly of: readonly string[];
  readonly requests: (resource: Resource) => readonly Request[];
}

/** How tags are told and asked for, once the resource exists. */
export interface Tagging {
  /** The parameters that name the resource. */
  readonly of: (resource: Resource) => Properties;
  readonly add: string;
  readonly remove: string;
  /** The parameter of `remove` with the keys. @default TagKeys */
  readonly keys?: string;
  /** @default they come with the resource itself */
  readonly list?: string;
}

export interface Reading {
  readonly operation: string;
  readonly parameters: (resource: Resource) => Properties;
  /** The resource in the answer; undefined when it isn't there. */
  readonly found: (answer: Properties, resource: Resource) => Properties | undefined;
  /** What Pulumi shall know it by, where an import may say it otherwise. */
  readonly id?: (found: Properties) => string;
}

export interface Refusal {
  readonly property: string;
  readonly reason: string;
}

/** How one type of resource becomes calls of AWS's API. Everything that isn't said here follows from the names. */
export interface ResourceType {
  /** As botocore names it. */
  readonly service: string;
  /** Properties that AWS calls otherwise, at any depth, in requests and answers; '' is none that AWS has. */
  readonly names?: Names;
  /** The property that Pulumi makes a name for when none is given; no two resources have the same. */
  readonly autonamed?: string;
  /** What the real provider takes for properties that aren't given. */
  readonly defaults?: Properties;
  /** Properties that can't change: a change makes another resource. */
  readonly replaces?: readonly string[];
  /** Properties that say how the provider deals with the resource, and that AWS never hears. */
  readonly settings?: readonly string[];
  /** What the real provider and AWS refuse, beyond what the model of the API says. */
  readonly refuses?: (inputs: Properties) => readonly Refusal[];
  readonly create: Step | ((inputs: Properties) => Step);
  readonly id: (resource: Resource, answer: Properties) => string;
  readonly update?: Step;
  readonly set?: readonly Setter[];
  readonly tagging?: Tagging;
  /** @throws where a deletion is refused */
  readonly delete?: (resource: Resource) => readonly Request[];
  /** @default what was asked for is taken for what is there */
  readonly read?: Reading;
  /** What else is known of it, from what was found. */
  readonly outputs?: (found: Properties, resource: Resource) => Readonly<Record<string, Value | undefined>>;
  /** A change that means nothing, as with storage that has grown by itself. */
  readonly ignores?: (property: string, old: Resource, inputs: Properties) => boolean;
  /** Operations that moto lacks: their parameters are checked, and the resource is kept in the state alone. */
  readonly lacking?: readonly string[];
}
