import { isPrintable } from './printable.policy';

describe('text of an invoice', () => {
  it.each([
    'Straße Zażółć 12 – №5 €',
    'Ελλάδα',
    'Москва',
    'שלום',
    'مرحبا',
    'Հայաստան',
    'საქართველო',
    '© 2026 “Ltd”',
    '',
  ])('can be printed: %s', (text) => {
    expect(isPrintable(text)).toBe(true);
  });

  it.each(['株式会社', 'ノース', '한국', 'ประเทศไทย', 'हिन्दी', 'Party 🎉'])(
    'has letters that the font lacks: %s',
    (text) => {
      expect(isPrintable(text)).toBe(false);
    },
  );
});
