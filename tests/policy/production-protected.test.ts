import { productionProtected } from '../../policy/rules/production-protected';
import { awsResource, statefulOnAws } from './support/aws';
import { clusterCommand, judged, judgedResource, resourceOf, staging } from './support/fixtures';

describe('production-protected', () => {
  const stateful = [
    resourceOf(),
    resourceOf({ type: 'postgresql:index/role:Role' }),
    resourceOf({ type: 'postgresql:index/schema:Schema' }),
    clusterCommand(),
    clusterCommand({ type: 'command:remote:Command' }),
    ...statefulOnAws.map(type => awsResource(type, {})),
  ];

  test.each(stateful.map(resource => [resource.type, resource] as const))(
    '%s passes when it is protected',
    (_, it) => {
      expect(judgedResource(productionProtected, it)).toEqual([]);
    },
  );

  test.each(stateful.map(resource => [resource.type, resource] as const))(
    '%s has to be protected',
    (_, it) => {
      const violations = judgedResource(productionProtected, { ...it, protect: false });
      expect(violations).toEqual([
        expect.stringMatching(/is not protected[^]*fix: set the resource option protect/),
      ]);
      expect(violations[0]).toContain(it.name);
    },
  );

  test('no change of a stateful resource is ignored, but for those that the pack allows', () => {
    const resource = resourceOf({ ignoreChanges: ['owner', 'encoding'] });
    expect(judgedResource(productionProtected, resource)[0]).toContain('owner, encoding (none is allowed)');
    const allowing = { allowedIgnoreChanges: ['encoding'] };
    expect(judgedResource(productionProtected, resource, allowing)[0]).toContain(
      'of owner (allowed: encoding)',
    );
    const both = { allowedIgnoreChanges: ['encoding', 'owner'] };
    expect(judgedResource(productionProtected, resource, both)).toEqual([]);
  });

  test('a wildcard can’t be allowed', async () => {
    const violations = await judged(productionProtected, {}, { allowedIgnoreChanges: ['*'] });
    expect(violations[0]).toContain('production-protected.allowedIgnoreChanges.0: ');
  });

  test('what carries no data needs no protection: grants, groups, the upload of the program, other commands', () => {
    const bare = { protect: false, ignoreChanges: ['*'] };
    for (const resource of [
      resourceOf({ ...bare, type: 'postgresql:index/grant:Grant' }),
      // A new version needs a new one, and the old one away.
      awsResource('rds/parameterGroup:ParameterGroup', {}, bare),
      clusterCommand({ ...bare, properties: { create: 'mkdir -p program' } }),
      resourceOf({
        ...bare,
        type: 'command:local:Command',
        urn: 'urn:pulumi:prod::shop::command:local:Command::x',
      }),
      resourceOf({ ...bare, type: 'command:local:Command', urn: 'odd' }),
    ])
      expect(judgedResource(productionProtected, resource)).toEqual([]);
  });

  test('staging is not held to it, and the stack as such has nothing to protect', async () => {
    const unprotected = resourceOf({ protect: false });
    expect(judgedResource(productionProtected, unprotected, {}, { raw: staging })).toEqual([]);
    expect(await judged(productionProtected)).toEqual([]);
  });

  test('an invalid configuration or stack is said once, on the root resource', async () => {
    const unprotected = resourceOf({ protect: false });
    const wrong = { allowedIgnoreChange: ['x'] };
    expect(judgedResource(productionProtected, unprotected, wrong)).toEqual([]);
    expect((await judged(productionProtected, {}, wrong))[0]).toContain('allowedIgnoreChange');
    expect(judgedResource(productionProtected, unprotected, {}, { raw: {} })).toEqual([]);
    expect(await judged(productionProtected, { raw: {} })).toHaveLength(1);
  });
});
