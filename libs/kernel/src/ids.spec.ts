import fc from 'fast-check';
import {
  firstIdAt,
  fromPublicId,
  isUuid,
  newId,
  newIdAt,
  publicKindOf,
  timeOfId,
  toPublicId,
  type MessageId,
} from './index';

describe('public ids', () => {
  it('give back the uuid they were made from', () => {
    fc.assert(
      fc.property(fc.uuid(), (uuid) => {
        expect(fromPublicId('message', toPublicId('message', uuid))).toBe(uuid);
      }),
    );
  });

  it('are the number of the uuid in base 32', () => {
    const digits = '0123456789abcdefghjkmnpqrstvwxyz';
    fc.assert(
      fc.property(fc.uuid(), (uuid) => {
        const text = toPublicId('message', uuid).slice('msg_'.length);
        const places = Array.from(text, (character) => BigInt(digits.indexOf(character)));
        const number = places.reduce((sum, place) => sum * 32n + place, 0n);
        expect(number).toBe(BigInt(`0x${uuid.replaceAll('-', '')}`));
        expect(text).toHaveLength(26);
      }),
    );
  });

  it('of one kind never name another kind', () => {
    const id = toPublicId('tenant', newId<MessageId>());
    expect(fromPublicId('message', id)).toBeUndefined();
    expect(publicKindOf(id)).toBe('tenant');
  });

  it.each([
    '',
    'msg_',
    'msg_01k9',
    `msg_${'u'.repeat(26)}`,
    `msg_${'z'.repeat(26)}`,
    `msg_80${'0'.repeat(24)}`,
    `msg_00000000i${'0'.repeat(17)}`,
    `MSG_${'0'.repeat(26)}`,
    "msg_' OR 1=1 --",
  ])('find nothing for %j', (text) => {
    expect(fromPublicId('message', text)).toBeUndefined();
  });

  it('sort as they were created', () => {
    const ids = Array.from({ length: 100 }, () => newId<MessageId>());
    expect([...ids].sort()).toEqual(ids);
  });
});

it('is an id of the time that was told, in the order of places', () => {
  const ids = [0, 1, 999].flatMap((place) => [newIdAt(1_000.5, place), newIdAt(1_001, place)]);
  expect(ids.every(isUuid)).toBe(true);
  expect([...ids].sort().map(timeOfId)).toEqual([1_000, 1_000, 1_000, 1_001, 1_001, 1_001]);
  const ofOneTime = ids.filter((id) => timeOfId(id) === 1_000);
  expect([...ofOneTime].sort()).toEqual(ofOneTime);
});

it('are between the first id of their time and that of the next', () => {
  fc.assert(
    fc.property(fc.nat(2 ** 48 - 2), fc.nat(), (ms, place) => {
      const id = newIdAt(ms, place);
      expect([firstIdAt(ms) < id, id < firstIdAt(ms + 1), timeOfId(firstIdAt(ms))]).toEqual([true, true, ms]);
    }),
  );
  // Times that no id can have.
  expect(timeOfId(firstIdAt(-1))).toBe(0);
  expect(timeOfId(firstIdAt(8.64e15))).toBe(2 ** 48 - 1);
});

it('are of the time that the clock tells, also after it was set back, and in order', () => {
  const now = Date.parse('2150-01-01T00:00:00Z');
  const clock = jest.spyOn(Date, 'now');
  const made = (ms: number) => {
    clock.mockReturnValue(ms);
    return newId<MessageId>();
  };
  try {
    expect(timeOfId(made(now + 3_600_000))).toBe(now + 3_600_000);
    // Of a small step nobody notices anything.
    const after = made(now + 3_600_001);
    expect(made(now + 3_599_000) > after).toBe(true);
    const later = [0, 0, 1, 2].map((passed) => made(now + passed));
    expect(later.map((id) => timeOfId(id) - now)).toEqual([0, 0, 1, 2]);
    expect([...later].sort()).toEqual(later);
    expect(new Set(later).size).toBe(4);
  } finally {
    clock.mockRestore();
  }
});
