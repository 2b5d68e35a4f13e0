/** SQL for the state a customer sees of recipient `r` of message `m`: its own, or else that of its message. */
export const SHOWN_STATE = `coalesce(r.state, CASE m.state WHEN 'READY' THEN 'QUEUED' WHEN 'INTENT' THEN 'SENDING' ELSE m.state END)`;
