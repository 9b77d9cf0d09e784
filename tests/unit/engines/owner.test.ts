import os from 'node:os';
import { becomeOwner, identityOf, ownerName } from '../../../engines/host/owner';

const me = os.userInfo();
const environment = { ...process.env };
const asUser = (uid: number) => jest.spyOn(process, 'getuid').mockReturnValue(uid);

afterEach(() => {
  jest.restoreAllMocks();
  Object.assign(process.env, environment);
});

test('the owner is who was declared for root, else whoever runs this', () => {
  asUser(0);
  expect(ownerName('ada')).toBe('ada');
  asUser(1000);
  expect(ownerName('ada')).toBe(me.username);
});

test('a user that isn’t there, or as which PostgreSQL doesn’t run, can’t own a cluster', () => {
  expect(() => identityOf('nobody-of-this-name')).toThrow('there is no user nobody-of-this-name');
  expect(() => identityOf('root')).toThrow("root can't own a cluster");
  expect(identityOf('nobody').uid).toBeGreaterThan(0);
});

test('who isn’t root stays who it is', () => {
  asUser(1000);
  const setuid = jest.spyOn(process as Required<typeof process>, 'setuid');
  becomeOwner('nobody');
  expect(setuid).not.toHaveBeenCalled();
});

describe('root', () => {
  const whole = process as Required<typeof process> & { initgroups(user: string, group: number): void };
  const ada = { uid: 4711, gid: 4712, username: 'ada', homedir: '/home/ada', shell: '/bin/sh' };
  let order: string[];

  beforeEach(() => {
    order = [];
    asUser(0);
    jest.spyOn(os, 'userInfo').mockReturnValue(ada);
    jest.spyOn(whole, 'seteuid').mockImplementation(user => void order.push(`in effect ${user}`));
    jest.spyOn(whole, 'initgroups').mockImplementation(user => void order.push(`groups of ${user}`));
    jest.spyOn(whole, 'setgid').mockImplementation(group => void order.push(`group ${group}`));
    jest.spyOn(whole, 'setuid').mockImplementation(user => void order.push(`user ${user}`));
    jest.spyOn(whole, 'chdir').mockImplementation(directory => void order.push(`in ${directory}`));
  });

  test('becomes the owner for good: groups first, then the user, whose environment it has', () => {
    becomeOwner('ada');
    expect(order).toEqual([
      'in effect ada',
      'in effect 0',
      'groups of ada',
      'group 4712',
      'user 4711',
      'in /',
    ]);
    expect(process.env).toMatchObject({ HOME: '/home/ada', USER: 'ada', LOGNAME: 'ada' });
  });

  test('stays root where the owner isn’t there, or is root', () => {
    jest.mocked(os.userInfo).mockReturnValue({ ...ada, uid: 0 });
    expect(() => becomeOwner('ada')).toThrow('PostgreSQL refuses to run as root');
    jest.mocked(whole.seteuid).mockImplementationOnce(() => {
      throw new Error('ERR_UNKNOWN_CREDENTIAL');
    });
    expect(() => becomeOwner('bob')).toThrow('there is no user bob on this machine');
    expect(order).toEqual(['in effect ada', 'in effect 0']);
  });
});
