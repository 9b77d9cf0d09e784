import { nearest } from '../../../../core/settings/nearest';

const known = ['schedules', 'retention', 'rpo', 'rto'];

test.each([
  ['schedule', 'schedules'],
  ['shedules', 'schedules'],
  ['Retention', 'retention'],
  ['rtention', 'retention'],
  ['rp', 'rpo'],
])('%s was meant to be %s', (word, meant) => expect(nearest(word, known)).toBe(meant));

test('a word that is far from all was meant to be none of them', () => {
  expect(nearest('passphrase', known)).toBeUndefined();
  expect(nearest('rpo', [])).toBeUndefined();
});
