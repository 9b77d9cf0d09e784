import * as pulumi from '@pulumi/pulumi';
import { parseAccess, parseApplied } from '../../../components/applied';
import { breakGlassWarning } from '../../../components/break-glass';
import { planCatalog } from '../../../core/catalog';
import { credentialOf } from '../../../components/credentials';
import { reported, reporting } from '../../../components/failure';
import { findings, inspectAll } from '../../../components/inspections';
import { revisionOf } from '../../../components/revision';
import { HoldfastError } from '../../../core/errors';
import { applied, inspection, planOf } from './support';

const databases = (settings: object) =>
  planOf('production', 'main', { databases: settings }).specification.settings.databases;

describe('what host apply printed', () => {
  it('is read', () => {
    expect(parseApplied(JSON.stringify(applied('main')))).toEqual(applied('main'));
  });

  it('of a cluster without a stanza is how one gets in', () => {
    const { stanza, ...printed } = applied('main');
    expect(stanza).toBe('main');
    expect(parseAccess(JSON.stringify(printed))).toEqual(printed);
    expect(() => parseApplied(JSON.stringify(printed))).toThrow('something else than what it applied');
    const { provider, ...without } = printed;
    expect(provider.username).toBe('holdfast_provider');
    expect(() => parseAccess(JSON.stringify(without))).toThrow('something else than what it applied');
  });

  it.each(['', 'null', '{}', '"hunter2"', '{"cluster":"main","password":"hunter2"}', 'hunter2'])(
    'is refused without being shown when it is something else: %s',
    printed => {
      expect.assertions(2);
      try {
        parseApplied(printed);
      } catch (error) {
        expect(error).toBeInstanceOf(HoldfastError);
        expect((error as HoldfastError).describe()).not.toContain('hunter2');
      }
    },
  );
});

describe('credentials', () => {
  it('that host apply didn’t make are an error of Pulumi without frames', async () => {
    const printed = applied('main', ['shop_app']);
    expect(await credentialOf('shop_app')(printed)).toMatchObject({ password: 'of shop_app' });
    const missing: unknown = await credentialOf('shop_report')(printed).catch((error: unknown) => error);
    expect(missing).toMatchObject({
      stack: '',
      message: expect.stringContaining('for the role shop_report\n  → ') as string,
    });
    expect(pulumi.RunError.isInstance(missing)).toBe(true);
  });
});

describe('the catalog of a cluster', () => {
  it('separates the owner of a database from the owner of what is in it', () => {
    expect(planCatalog(databases({ shop: { schemas: ['app', 'audit', 'app'] } }))).toMatchObject([
      {
        name: 'shop',
        owner: 'shop_owner',
        objectOwner: 'shop_objects',
        schemas: ['app', 'audit'],
        logins: [],
      },
    ]);
  });

  it('refuses a login that owns another database', () => {
    expect(() => planCatalog(databases({ shop: {}, log: { readOnlyRoles: ['shop_objects'] } }))).toThrow(
      "databases.log: the role shop_objects can't log in",
    );
  });
});

describe('an inspection', () => {
  it('makes the first revision 1', () => {
    expect(revisionOf(inspection('main'))).toBe(1);
  });

  it('says what was changed by hand', () => {
    const drift = [{ what: 'pg_hba.conf', expected: '4 lines', found: '5 lines' }];
    expect(findings(inspection('main', { drift }))).toEqual([
      'main: pg_hba.conf was changed by hand: found 5 lines, applied was 4 lines; `pulumi up` puts it back',
    ]);
  });

  it('says that a restart is needed, and whether it will happen', () => {
    const needsRestart = ['shared_buffers'];
    expect(findings(inspection('main', { needsRestart, restartAllowed: true }))).toEqual([
      'main: will be restarted: shared_buffers needs it',
    ]);
    expect(findings(inspection('main', { needsRestart: ['a', 'b'] }))).toEqual([
      'main: a, b will only take effect after a restart, which source.allowRestart doesn’t allow',
    ]);
  });

  it('says nothing about a host that is as it shall be', () => {
    expect(findings(inspection('main'))).toEqual([]);
  });

  it('is made of every cluster, and fails with the one that fails', async () => {
    const specifications = ['one', 'two'].map(name => planOf('production', name).specification);
    const plans = await inspectAll(specifications, {
      home: '/h',
      inspect: ({ cluster }) => Promise.resolve(inspection(cluster, { revision: 3 })),
    });
    expect(plans.map(({ inspection: { cluster, revision } }) => [cluster, revision])).toEqual([
      ['one', 3],
      ['two', 3],
    ]);
    const failing = inspectAll(specifications, {
      home: '/h',
      inspect: () => Promise.reject(new HoldfastError('engine-failed', 'no answer')),
    });
    await expect(failing).rejects.toThrow('no answer');
  });
});

describe('an error of the program', () => {
  it('is shown with its hint and without a stack, which takes half a minute to print', () => {
    const error = reported(new HoldfastError('configuration', 'wrong', { hint: 'right it' }), 'main');
    expect(error.message).toBe('main: wrong\n  → right it');
    expect(error.stack).toBe('');
  });

  it('that nobody foresaw keeps where it came from in its message', () => {
    expect(reported(new TypeError('odd')).message).toMatch(/TypeError: odd\n\s+at /);
    expect(reported('text').message).toBe('text');
  });

  it('is wrapped once', () => {
    const once = reported(new Error('odd'));
    expect(reported(once, 'again')).toBe(once);
  });

  it('inside an output is shown the same way', async () => {
    expect(await reporting((value: number) => value + 1)(1)).toBe(2);
    const failing = reporting(() => {
      throw new HoldfastError('engine-failed', 'broken');
    });
    await expect(failing(0)).rejects.toMatchObject({ message: 'broken', stack: '' });
  });
});

describe('break-glass', () => {
  it('is announced loudly with who, why and how long', () => {
    const grant = {
      reason: 'repository host lost',
      approver: 'ada@example.com',
      issued: '2026-01-02T03:00:00Z',
      expires: '2026-01-02T05:00:00Z',
    };
    const text = breakGlassWarning({ state: 'active', grant, remainingSeconds: 3600 });
    expect(text).toMatch(/^BREAK-GLASS IS ACTIVE until 2026-01-02T05:00:00Z \(1 h left\)/);
    expect(text).toContain('repository host lost');
    expect(text).toContain('ada@example.com');
  });

  it('that counts as none says why', () => {
    expect(breakGlassWarning({ state: 'invalid', reason: 'it expired 2 h ago' })).toBe(
      'BREAK-GLASS COUNTS AS NONE: it expired 2 h ago. The rules apply as ever.',
    );
  });

  it('that isn’t there isn’t mentioned', () => {
    expect(breakGlassWarning({ state: 'none' })).toBeUndefined();
  });
});
