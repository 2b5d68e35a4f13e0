import type { ErrorCode } from '@libs/kernel';
import type { Response } from 'express';

/** Every refusal over HTTP looks like a GraphQL answer, so that clients need one way to read errors. */
export function sendRefusal(
  response: Response,
  refusal: {
    status: number;
    code: ErrorCode;
    message: string;
    headers?: Readonly<Record<string, string>>;
    /** As in answers of GraphQL: left out where no parameter is at fault. */
    field?: string | null;
  },
  edge: { requestId: string; docsUrl: string },
): void {
  if (response.headersSent) return;
  for (const [name, value] of Object.entries(refusal.headers ?? {})) response.setHeader(name, value);
  response.status(refusal.status).json({
    errors: [
      {
        message: refusal.message,
        extensions: {
          code: refusal.code,
          requestId: edge.requestId,
          docsUrl: edge.docsUrl,
          retryAt: null,
          ...(refusal.field ? { field: refusal.field } : {}),
        },
      },
    ],
  });
}
