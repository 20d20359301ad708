import { expect, test } from 'vitest';
import { objectOf, whoOf } from './audit';

test.each([
  [{ actor: 'user:u_ana', actor_name: 'Ana' }, 'Ana'],
  [{ actor: 'user:u_ana' }, 'u_ana'],
  [{ actor: 'key:193bf5d74a9c' }, 'a key (193bf5d74a9c)'],
  [{ actor: 'operator:1000' }, 'the operator of the machine'],
  [{ actor: 'several' }, 'several'],
])('%o is %s', (row, who) => {
  expect(whoOf(row)).toBe(who);
});

test.each([
  [{ object: 'q=opened' }, 'q=opened'],
  [{ changes: [{ kind: 'user', id: 'u_ana' }] }, 'user u_ana'],
  [{ about: ['user:*', 'person:*'] }, 'everybody’s mail'],
  [{ about: ['user:u_bob', 'message:m-1'] }, 'u_bob, message:m-1'],
  [{}, ''],
])('%o is of %s', (row, object) => {
  expect(objectOf(row)).toBe(object);
});

test('users are called by their names', () => {
  const nameOf = (id: string) => (id === 'u_ana' ? 'Ana' : id);
  expect(whoOf({ actor: 'user:u_ana' }, nameOf)).toBe('Ana');
  expect(objectOf({ object: 'u_ana' }, nameOf)).toBe('Ana');
  expect(objectOf({ changes: [{ kind: 'user', id: 'u_ana' }] }, nameOf)).toBe('user Ana');
  expect(objectOf({ about: ['user:u_ana', 'message:m-1'] }, nameOf)).toBe('Ana, message:m-1');
});
