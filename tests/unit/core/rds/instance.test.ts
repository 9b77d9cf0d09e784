import { HoldfastError } from '../../../../core/errors';
import { instanceChoices, keepsVault } from '../../../../core/rds/choices';
import { finalSnapshotName } from '../../../../core/rds/final-snapshot';
import { besidePrefix, snapshotPrefix } from '../../../../core/rds/names';
import { parameterGroupName, parametersOf } from '../../../../core/rds/parameter-group';
import { settingsOf } from './fixtures';

describe('what the environment decides', () => {
  test('production has a standby and is protected from deletion, staging neither', () => {
    expect(instanceChoices('production', {})).toEqual({ multiAz: true, deletionProtection: true });
    expect(instanceChoices('staging', {})).toEqual({ multiAz: false, deletionProtection: false });
  });

  test('unless the settings say otherwise', () => {
    const given = { multiAz: true, deletionProtection: true };
    expect(instanceChoices('staging', given)).toEqual(given);
  });

  test('production keeps recovery points in a vault, staging none; both can be told', () => {
    expect(keepsVault('production', settingsOf())).toBe(true);
    expect(keepsVault('staging', settingsOf())).toBe(false);
    expect(keepsVault('production', settingsOf({ vault: { enabled: false } }))).toBe(false);
    expect(keepsVault('staging', settingsOf({ vault: { enabled: true } }))).toBe(true);
  });
});

describe('the parameter group', () => {
  test('has a name of its own for each major version, whatever the minor one', () => {
    expect(parameterGroupName('shop-db', '17.6')).toBe('shop-db-postgres17');
    expect(parameterGroupName('shop-db', '17')).toBe('shop-db-postgres17');
    expect(parameterGroupName('shop-db', '18.1')).toBe('shop-db-postgres18');
  });

  test('forces TLS and logs who alters a database', () => {
    expect(parametersOf({})).toEqual([
      { name: 'log_statement', value: 'ddl', applyMethod: 'immediate' },
      { name: 'rds.force_ssl', value: '1', applyMethod: 'immediate' },
    ]);
  });

  test('has what is declared, by name, and at the next reboot what can’t be had before', () => {
    expect(
      parametersOf({ work_mem: 65_536, max_connections: '200', jit: false, log_statement: 'all' }),
    ).toEqual([
      { name: 'jit', value: '0', applyMethod: 'immediate' },
      { name: 'log_statement', value: 'all', applyMethod: 'immediate' },
      { name: 'max_connections', value: '200', applyMethod: 'pending-reboot' },
      { name: 'rds.force_ssl', value: '1', applyMethod: 'immediate' },
      { name: 'work_mem', value: '65536', applyMethod: 'immediate' },
    ]);
  });
});

describe('the name of the final snapshot', () => {
  test('stays in every update, and is another for the next instance of this identifier', () => {
    const name = finalSnapshotName('shop-db', ['sg-1', 'key', 'holdfast']);
    expect(name).toMatch(/^shop-db-final-[0-9a-f]{12}$/);
    expect(finalSnapshotName('shop-db', ['sg-1', 'key', 'holdfast'])).toBe(name);
    expect(finalSnapshotName('shop-db', ['sg-2', 'key', 'holdfast'])).not.toBe(name);
    expect(finalSnapshotName('shop-db', ['sg-1', 'other', 'holdfast'])).not.toBe(name);
  });

  test('that RDS wouldn’t take is refused at once, and not at the deletion', () => {
    expect(() => finalSnapshotName('shop--db', [])).toThrow(HoldfastError);
    expect(() => finalSnapshotName('shop--db', [])).toThrow('can’t be the name of a final snapshot');
  });
});

test('names of what is beside an instance leave room for what tells them apart', () => {
  expect(snapshotPrefix('shop--eu')).toBe('hf-shop-eu-');
  expect(besidePrefix('shop-db', 'hf')).toBe('shop-db-hf-');
  const long = `${'a'.repeat(37)}-${'b'.repeat(25)}`;
  expect(besidePrefix(long, 'aside')).toBe(`${'a'.repeat(37)}-aside-`);
});
