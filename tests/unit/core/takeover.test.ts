import { refuseTakeover } from '../../../core/catalog';

const asDeclared = { type: 'role', id: 'shop_app', conflict: null } as const;
const another = {
  type: 'database',
  id: 'shop',
  conflict: { difference: 'it belongs to ada', remedy: ['alter database "shop" owner to "shop_owner";'] },
} as const;

test('what is as declared, or not there at all, is nobody’s to refuse', () => {
  expect(refuseTakeover('main', [])).toBeUndefined();
  expect(refuseTakeover('main', [asDeclared])).toBeUndefined();
});

test('what is somebody else’s is refused, with what it is and how to hand it over', () => {
  const refusal = refuseTakeover('main', [asDeclared, another]);
  expect(refusal).toMatchObject({ code: 'refused' });
  expect(refusal?.message).toMatch(/not as declared:\n +database shop: it belongs to ada$/);
  expect(refusal?.hint).toContain('    alter database "shop" owner to "shop_owner";');
});
