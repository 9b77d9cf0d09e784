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

test('root becomes the owner for good: groups first, then the user, whose environment it has', () => {
  asUser(0);
  const order: string[] = [];
  const whole = process as Required<typeof process> & { initgroups(user: string, group: number): void };
  jest.spyOn(whole, 'initgroups').mockImplementation(user => void order.push(`groups of ${user}`));
  jest.spyOn(whole, 'setgid').mockImplementation(() => void order.push('group'));
  jest.spyOn(whole, 'setuid').mockImplementation(() => void order.push('user'));
  jest.spyOn(whole, 'chdir').mockImplementation(directory => void order.push(`in ${directory}`));
  becomeOwner('nobody');
  expect(order).toEqual(['groups of nobody', 'group', 'user', 'in /']);
  expect(process.env).toMatchObject({ HOME: me.homedir, USER: me.username, LOGNAME: me.username });
});
