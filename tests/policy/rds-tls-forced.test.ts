import { rdsTlsForced } from '../../policy/rules/rds-tls-forced';
import { cluster, clusterParameterGroup, instance, judgedProgram, parameterGroup } from './support/aws';
import { judgedResource, staging, unknown } from './support/fixtures';

const parameters = (value: unknown, name: unknown = 'rds.force_ssl') => ({ parameters: [{ name, value }] });

describe.each([
  ['instance', parameterGroup, instance, 'parameterGroupName'],
  ['cluster', clusterParameterGroup, cluster, 'dbClusterParameterGroupName'],
] as const)('the parameter group of an %s', (_, group, database, key) => {
  test.each([['1'], [1], [unknown]])('passes with rds.force_ssl = %p', value => {
    expect(judgedResource(rdsTlsForced, group(parameters(value)))).toEqual([]);
  });

  test.each([
    ['is 0', parameters('0')],
    ['is not among the parameters', parameters('1', 'log_statement')],
    ['is unset with all parameters', { parameters: undefined }],
  ])('is a violation when rds.force_ssl %s', (_, changes) => {
    expect(judgedResource(rdsTlsForced, group(changes))).toEqual([
      expect.stringMatching(
        /lets its databases take connections in plain text\n {2}fix: add .*rds.force_ssl/,
      ),
    ]);
  });

  test.each([
    ['its parameters', { parameters: unknown }],
    ['the names of them', parameters('1', unknown)],
    ['its family', { family: unknown, parameters: [] }],
  ])('is judged in the update when %s can’t be known in the preview', (_, changes) => {
    expect(judgedResource(rdsTlsForced, group(changes))).toEqual([]);
  });

  test('isn’t judged where another engine uses it, or in staging', () => {
    expect(judgedResource(rdsTlsForced, group({ family: 'mysql8.4', parameters: [] }))).toEqual([]);
    expect(judgedResource(rdsTlsForced, group(parameters('0')), {}, { raw: staging })).toEqual([]);
  });

  test.each([
    ['by its name', {}],
    ['by its prefix, when the name is made up', { name: undefined, namePrefix: 'shop-' }],
    ['or may be it, when its name isn’t known yet', { name: unknown }],
  ])('is the one that the database uses: %s', (_, changes) => {
    expect(judgedProgram(rdsTlsForced, [database(), group(changes)])).toEqual([]);
  });

  test('has to be declared in the program, or be named by the pack', () => {
    for (const others of [[], [group({ name: 'crm-postgres16' })]])
      expect(judgedProgram(rdsTlsForced, [database(), ...others])).toEqual([
        expect.stringMatching(/which this program doesn’t declare[^]*fix: .*rds-tls-forced.groupsElsewhere/),
      ]);
    const named = { groupsElsewhere: ['shop-postgres16', 'shop-aurora16'] };
    expect(judgedProgram(rdsTlsForced, [database()], named)).toEqual([]);
  });

  test('is judged in the update when its name isn’t known in the preview', () => {
    const later = database({ [key]: unknown });
    expect(judgedResource(rdsTlsForced, later)).toEqual([]);
    expect(judgedProgram(rdsTlsForced, [later])).toEqual([]);
  });

  test.each([[undefined], [''], ['default.postgres16']])('can’t be the default one (%p)', name => {
    const named = { groupsElsewhere: ['default.postgres16'] };
    expect(judgedResource(rdsTlsForced, database({ [key]: name }), named)).toEqual([
      expect.stringMatching(/has the default parameter group, which can’t be changed/),
    ]);
    expect(judgedProgram(rdsTlsForced, [database({ [key]: name })])).toEqual([]);
  });
});

test('the instances of Aurora have a group of their own, without the parameter', () => {
  const group = parameterGroup({ family: 'aurora-postgresql16', parameters: [] });
  expect(judgedResource(rdsTlsForced, group)).toEqual([]);
});

test('a group of the other kind is not the database’s', () => {
  const group = clusterParameterGroup({ name: 'shop-postgres16' });
  expect(judgedProgram(rdsTlsForced, [group, instance()])).toHaveLength(1);
});

test('a database without PostgreSQL is not its business; one that doesn’t name its engine is', () => {
  expect(judgedProgram(rdsTlsForced, [instance({ engine: 'mysql' })])).toEqual([]);
  expect(judgedProgram(rdsTlsForced, [instance({ engine: undefined })])).toHaveLength(1);
});
