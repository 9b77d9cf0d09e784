import { list, object, objects, printed, type Properties, type Value } from './values';

/** The JSON of an IAM policy, as the real provider writes it. */
export function policyDocument({ policyId, version = '2012-10-17', statements }: Properties): Properties {
  const document = compact({ Version: version, Id: policyId, Statement: objects(statements).map(statement) });
  const json = JSON.stringify(document, null, 2);
  return { id: String(json.length), json, minifiedJson: JSON.stringify(document), version };
}

function statement(said: Properties): Properties {
  return compact({
    Sid: said.sid,
    Effect: said.effect ?? 'Allow',
    Action: oneOrMany(said.actions),
    NotAction: oneOrMany(said.notActions),
    Resource: oneOrMany(said.resources),
    NotResource: oneOrMany(said.notResources),
    Principal: principals(said.principals),
    NotPrincipal: principals(said.notPrincipals),
    Condition: conditions(said.conditions),
  });
}

function oneOrMany(values: Value | undefined): Value | undefined {
  const all = list(values);
  return all.length === 1 ? all[0] : all.length === 0 ? undefined : [...all].sort();
}

function principals(said: Value | undefined): Value | undefined {
  const all = objects(said);
  if (all.length === 0) return undefined;
  if (all.length === 1 && all[0]?.type === '*') return '*';
  const entries = all.map(
    ({ type, identifiers }) => [printed(type), oneOrMany(identifiers) ?? null] as const,
  );
  return Object.fromEntries(entries);
}

function conditions(said: Value | undefined): Value | undefined {
  const all = objects(said);
  if (all.length === 0) return undefined;
  const document: Record<string, Properties> = {};
  for (const { test, variable, values } of all)
    document[printed(test)] = {
      ...object(document[printed(test)]),
      [printed(variable)]: oneOrMany(values) ?? null,
    };
  return document;
}

function compact(properties: Readonly<Record<string, Value | undefined>>): Properties {
  return Object.fromEntries(
    Object.entries(properties).filter((entry): entry is [string, Value] => entry[1] !== undefined),
  );
}
