/** An address of the domain or of one below it. */
export const OF_DOMAIN = `(split_part(m.from_address, '@', 2) = d.name OR right(split_part(m.from_address, '@', 2), length(d.name) + 1) = '.' || d.name)`;

/** True when the domain of message `m` is verified on its account. */
export const DOMAIN_READY = `
  coalesce((SELECT true FROM domain d JOIN domain_identity i ON i.tenant_id = d.tenant_id AND i.domain_id = d.id
             WHERE d.tenant_id = m.tenant_id AND i.sending_account_id = m.sending_account_id
               AND d.state = 'READY' AND i.state = 'VERIFIED' AND ${OF_DOMAIN} LIMIT 1), false)`;
