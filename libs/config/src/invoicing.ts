import { z } from 'zod';

const text = z.string().trim().max(500);

/** In whose name invoices are issued, and when they are due. */
export const invoicingVariables = {
  SELLER_NAME: text.min(1).default('Postfleet'),
  /** Lines divided by "|". */
  SELLER_ADDRESS: text.default(''),
  SELLER_TAX_ID: text.optional(),
  SELLER_EMAIL: text.optional(),
  /** Below the total: how to pay. */
  INVOICE_NOTE: text.optional(),
  INVOICE_DUE_DAYS: z.coerce.number().int().min(0).max(365).default(14),
};

interface InvoicingConfig {
  readonly SELLER_NAME: string;
  readonly SELLER_ADDRESS: string;
  readonly SELLER_TAX_ID?: string | undefined;
  readonly SELLER_EMAIL?: string | undefined;
  readonly INVOICE_NOTE?: string | undefined;
  readonly INVOICE_DUE_DAYS: number;
}

const DAY_MS = 86_400_000;

export function invoicingOf(config: InvoicingConfig) {
  return {
    seller: {
      name: config.SELLER_NAME,
      address: config.SELLER_ADDRESS.split('|')
        .map((line) => line.trim())
        .filter((line) => line !== ''),
      taxId: config.SELLER_TAX_ID ?? null,
      email: config.SELLER_EMAIL ?? null,
      note: config.INVOICE_NOTE ?? null,
    },
    dueAt: (issuedAt: Date) => new Date(issuedAt.getTime() + config.INVOICE_DUE_DAYS * DAY_MS),
  };
}

/** What production must say: an invoice without a seller's address is none. */
export function missingSeller(config: { readonly NODE_ENV: string; readonly SELLER_ADDRESS: string }): boolean {
  return config.NODE_ENV === 'production' && config.SELLER_ADDRESS === '';
}

export const MISSING_SELLER = 'production issues invoices in your name: set SELLER_NAME and SELLER_ADDRESS';
