import type { MigrationInterface, QueryRunner } from 'typeorm';
import { protectTenantTable } from './tenant-table';

/** Messages, attempts, batches, events and suppression: the way of a message. */
export class Sending1763800002000 implements MigrationInterface {
  async up(q: QueryRunner): Promise<void> {
    await q.query(`
      CREATE TABLE message (
        tenant_id uuid NOT NULL REFERENCES tenant (id),
        id uuid NOT NULL,
        mode text NOT NULL CHECK (mode IN ('LIVE', 'TEST')),
        stream text NOT NULL CHECK (stream IN ('TRANSACTIONAL', 'MARKETING')),
        state text NOT NULL CHECK (state IN
          ('SCHEDULED', 'READY', 'INTENT', 'SENT', 'REJECTED', 'IN_DOUBT', 'EXPIRED', 'CANCELED', 'SUPPRESSED')),
        sending_account_id uuid NOT NULL REFERENCES sending_account (id),
        lane_id uuid NOT NULL REFERENCES lane (id),
        n_rcpt smallint NOT NULL CHECK (n_rcpt BETWEEN 1 AND 50),
        bytes int NOT NULL CHECK (bytes >= 0),
        from_address text NOT NULL,
        from_name text,
        subject text NOT NULL,
        tags jsonb NOT NULL DEFAULT '[]',
        region text,
        idempotency_key text NOT NULL,
        created_at timestamptz NOT NULL,
        scheduled_at timestamptz,
        expires_at timestamptz NOT NULL,
        batch_id uuid,
        attempt_no smallint NOT NULL DEFAULT 0,
        not_before timestamptz,
        settled_at timestamptz,
        detail text,
        PRIMARY KEY (tenant_id, id)
      ) WITH (fillfactor = 70);
      CREATE INDEX message_ready ON message (sending_account_id, stream, tenant_id, id) WHERE state = 'READY';
      CREATE INDEX message_due ON message (scheduled_at) WHERE state = 'SCHEDULED';
      CREATE INDEX message_open ON message (tenant_id, mode, stream, id) INCLUDE (n_rcpt) WHERE state IN ('READY', 'SCHEDULED');
      CREATE INDEX message_open_batch ON message (batch_id) WHERE state = 'INTENT';
      CREATE INDEX message_in_doubt ON message (sending_account_id) WHERE state = 'IN_DOUBT';
      CREATE INDEX message_expiring ON message (expires_at) WHERE state IN ('READY', 'SCHEDULED', 'IN_DOUBT');
      CREATE TABLE message_body (
        tenant_id uuid NOT NULL,
        message_id uuid NOT NULL,
        content jsonb NOT NULL,
        PRIMARY KEY (tenant_id, message_id),
        FOREIGN KEY (tenant_id, message_id) REFERENCES message (tenant_id, id)
      );
      CREATE TABLE recipient (
        tenant_id uuid NOT NULL,
        message_id uuid NOT NULL,
        position smallint NOT NULL,
        kind text NOT NULL CHECK (kind IN ('TO', 'CC', 'BCC')),
        address text NOT NULL,
        name text,
        state text NOT NULL CHECK (state IN ('SCHEDULED', 'QUEUED', 'SENDING', 'SENT', 'DELIVERED', 'BOUNCED', 'COMPLAINED',
          'REJECTED', 'SUPPRESSED', 'EXPIRED', 'CANCELED', 'IN_DOUBT')),
        at timestamptz NOT NULL,
        detail text,
        PRIMARY KEY (tenant_id, message_id, position),
        FOREIGN KEY (tenant_id, message_id) REFERENCES message (tenant_id, id)
      ) WITH (fillfactor = 80);
      CREATE INDEX recipient_address ON recipient (tenant_id, address);
      CREATE TABLE idempotency (
        tenant_id uuid NOT NULL REFERENCES tenant (id),
        mode text NOT NULL,
        key text NOT NULL,
        request_hash bytea NOT NULL,
        result jsonb NOT NULL,
        created_at timestamptz NOT NULL,
        PRIMARY KEY (tenant_id, mode, key)
      );
      CREATE INDEX idempotency_age ON idempotency (created_at);

      -- The fence: whoever inserts a batch row owns the right to send what it grants. VOID is the sweeper's tombstone.
      CREATE TABLE batch (
        id uuid PRIMARY KEY,
        sending_account_id uuid NOT NULL REFERENCES sending_account (id),
        state text NOT NULL CHECK (state IN ('OPEN', 'SETTLED', 'VOID')),
        worker text NOT NULL,
        granted int NOT NULL,
        claimed int NOT NULL,
        bucket timestamptz NOT NULL,
        slot_end timestamptz NOT NULL,
        created_at timestamptz NOT NULL,
        settled_at timestamptz
      );
      CREATE INDEX batch_usage ON batch (sending_account_id, bucket);
      CREATE INDEX batch_open ON batch (slot_end) WHERE state = 'OPEN';

      -- One try. It is also the usage event that billing reads: never deleted before its period is final.
      CREATE TABLE attempt (
        tenant_id uuid NOT NULL,
        id uuid NOT NULL,
        message_id uuid NOT NULL,
        attempt_no smallint NOT NULL,
        batch_id uuid NOT NULL REFERENCES batch (id),
        sending_account_id uuid NOT NULL REFERENCES sending_account (id),
        lane_id uuid NOT NULL REFERENCES lane (id),
        mode text NOT NULL,
        stream text NOT NULL,
        n_rcpt smallint NOT NULL,
        bytes int NOT NULL,
        state text NOT NULL CHECK (state IN ('INTENT', 'SENT', 'REJECTED', 'NOT_SENT', 'IN_DOUBT')),
        ses_message_id text,
        error_code text,
        error text,
        created_at timestamptz NOT NULL,
        ended_at timestamptz,
        send_event_at timestamptz,
        PRIMARY KEY (tenant_id, id),
        UNIQUE (tenant_id, message_id, attempt_no),
        FOREIGN KEY (tenant_id, message_id) REFERENCES message (tenant_id, id)
      ) WITH (fillfactor = 70);
      -- Events name an attempt and nothing else that can be believed: the tenant is found by it.
      CREATE UNIQUE INDEX attempt_by_id ON attempt (id);
      CREATE INDEX attempt_by_batch ON attempt (batch_id);
      CREATE INDEX attempt_usage ON attempt (tenant_id, ended_at) WHERE state = 'SENT';
      CREATE INDEX attempt_sent_by_account ON attempt (sending_account_id, ended_at) WHERE state = 'SENT';
      CREATE INDEX attempt_in_doubt ON attempt (sending_account_id, created_at) WHERE state = 'IN_DOUBT';
      COMMENT ON COLUMN attempt.send_event_at IS 'when SES confirmed this attempt by its Send event; the proof that settles doubt';

      CREATE TABLE message_event (
        tenant_id uuid NOT NULL,
        id uuid NOT NULL,
        message_id uuid NOT NULL,
        type text NOT NULL,
        at timestamptz NOT NULL,
        recipient text,
        dedupe_key text NOT NULL,
        summary text NOT NULL,
        data jsonb NOT NULL DEFAULT '{}',
        PRIMARY KEY (tenant_id, id),
        UNIQUE (tenant_id, message_id, dedupe_key),
        FOREIGN KEY (tenant_id, message_id) REFERENCES message (tenant_id, id)
      );
      CREATE INDEX message_event_timeline ON message_event (tenant_id, message_id, at, id);

      -- What SNS sent, as it came, before it is believed. No tenant yet: it is found by the attempt the event names.
      CREATE TABLE notification (
        id text PRIMARY KEY,
        sending_account_id uuid NOT NULL REFERENCES sending_account (id),
        topic_arn text NOT NULL,
        type text NOT NULL CHECK (type IN ('Notification', 'SubscriptionConfirmation', 'UnsubscribeConfirmation')),
        body text NOT NULL,
        received_at timestamptz NOT NULL,
        state text NOT NULL CHECK (state IN ('STORED', 'DONE', 'REJECTED')),
        reason text
      );
      CREATE INDEX notification_open ON notification (received_at) WHERE state = 'STORED';

      CREATE TABLE suppression (
        tenant_id uuid NOT NULL REFERENCES tenant (id),
        id uuid NOT NULL,
        address text NOT NULL,
        reason text NOT NULL,
        cause_event_id uuid,
        created_at timestamptz NOT NULL,
        PRIMARY KEY (tenant_id, id),
        UNIQUE (tenant_id, address)
      );`);
    await protectTenantTable(q, 'message', {
      app: 'SELECT, INSERT, UPDATE',
      worker: 'SELECT, UPDATE',
      admin: 'SELECT, UPDATE',
    });
    await protectTenantTable(q, 'message_body', { app: 'SELECT, INSERT', worker: 'SELECT', admin: null });
    await protectTenantTable(q, 'recipient', {
      app: 'SELECT, INSERT, UPDATE',
      worker: 'SELECT, UPDATE',
      admin: 'SELECT, UPDATE',
    });
    await protectTenantTable(q, 'idempotency', {
      app: 'SELECT, INSERT, UPDATE',
      worker: 'SELECT, DELETE',
      admin: null,
    });
    await protectTenantTable(q, 'attempt', { app: 'SELECT', worker: 'SELECT, INSERT, UPDATE', admin: 'SELECT' });
    await protectTenantTable(q, 'message_event', {
      app: 'SELECT, INSERT',
      worker: 'SELECT, INSERT',
      admin: 'SELECT, INSERT',
    });
    await protectTenantTable(q, 'suppression', {
      app: 'SELECT, INSERT, DELETE',
      worker: 'SELECT, INSERT',
      admin: 'SELECT',
    });
    await q.query(`
      GRANT SELECT, INSERT, UPDATE ON batch TO pf_worker;
      GRANT SELECT ON batch TO pf_admin;
      GRANT INSERT, SELECT (id) ON notification TO pf_app;
      GRANT SELECT, UPDATE ON notification TO pf_worker;
      GRANT SELECT ON notification TO pf_admin;`);
  }

  async down(q: QueryRunner): Promise<void> {
    await q.query(
      'DROP TABLE suppression, notification, message_event, attempt, batch, idempotency, recipient, message_body, message',
    );
  }
}
