import * as z from 'zod';
import { databaseType, isPostgres } from '../rds';
import { elements, input, unknownValue, type Resource } from '../resource';
import { defineRule, resourceViolation } from '../rule';

/**
 * The group is judged by itself, because it is changed before the database that has it is. That the program declares it only
 * the whole program shows: one of elsewhere is seen by nobody.
 */
export const rdsTlsForced = defineRule({
  name: 'rds-tls-forced',
  description: 'A production PostgreSQL on Amazon RDS refuses connections without TLS.',
  severity: 'critical',
  remediation: 'Declare a parameter group with `rds.force_ssl` = 1, and use it.',
  url: 'https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/PostgreSQL.Concepts.General.SSL.html',
  enforcement: 'mandatory',
  holds: 'production',
  configuration: z.strictObject({
    groupsElsewhere: z
      .array(z.string().min(1))
      .default([])
      .describe('Parameter groups that are declared elsewhere, and are known to force TLS.'),
  }),
  judgeResource(resource) {
    if (isPostgresGroup(resource)) return forcesTls(resource) ? [] : [unforced(resource)];
    return groupOf(resource) === 'default' ? [byDefault(resource)] : [];
  },
  judgeProgram(stack, { groupsElsewhere }) {
    const resources = stack.resources();
    return resources.flatMap(resource => {
      const group = groupOf(resource);
      if (group === null || group === 'default' || groupsElsewhere.includes(group.name)) return [];
      const isDeclared = resources.some(it => it.type === group.type && isNamed(it, group.name));
      return isDeclared ? [] : [ofElsewhere(resource, group.name)];
    });
  },
});

/** The parameter group of a PostgreSQL; null when it isn't known in this preview, or the resource is something else. */
function groupOf(resource: Resource): { readonly name: string; readonly type: string } | 'default' | null {
  const database = databaseType(resource);
  if (database === undefined || !isPostgres(resource)) return null;
  const name = input(resource, database.parameterGroup.input);
  if (name === unknownValue) return null;
  if (typeof name !== 'string' || name === '' || name.startsWith('default.')) return 'default';
  return { name, type: database.parameterGroup.type };
}

/** In Aurora it is the cluster's group that has the parameter; those of its instances haven't. */
const families: Readonly<Record<string, RegExp>> = {
  'aws:rds/parameterGroup:ParameterGroup': /^postgres/,
  'aws:rds/clusterParameterGroup:ClusterParameterGroup': /^(aurora-)?postgres/,
};

function isPostgresGroup(resource: Resource): boolean {
  const [family, given] = [families[resource.type], input(resource, 'family')];
  return family !== undefined && typeof given === 'string' && family.test(given);
}

/** What isn't known in this preview may be it; the update knows. */
function forcesTls(group: Resource): boolean {
  if (input(group, 'parameters') === unknownValue) return true;
  return elements(group, 'parameters').some(at => {
    const [name, value] = [input(group, ...at, 'name'), input(group, ...at, 'value')];
    return (
      (name === 'rds.force_ssl' || name === unknownValue) && (String(value) === '1' || value === unknownValue)
    );
  });
}

function unforced(group: Resource): string {
  return resourceViolation(
    group,
    'lets its databases take connections in plain text',
    'add the parameter rds.force_ssl with the value 1 (the default differs from version to version)',
  );
}

/** The name of one that has only a prefix is made up while it is created. */
function isNamed(group: Resource, name: string): boolean {
  const [own, prefix] = [input(group, 'name'), input(group, 'namePrefix')];
  return own === name || own === unknownValue || (typeof prefix === 'string' && name.startsWith(prefix));
}

function byDefault(database: Resource): string {
  return resourceViolation(
    database,
    'has the default parameter group, which can’t be changed, and in many versions takes connections in plain text',
    'declare a parameter group with rds.force_ssl = 1, and use it',
  );
}

function ofElsewhere(database: Resource, group: string): string {
  return resourceViolation(
    database,
    `has the parameter group ${group}, which this program doesn’t declare: nobody sees whether it forces TLS`,
    'declare it here, or name it in rds-tls-forced.groupsElsewhere of the pack’s configuration',
  );
}
