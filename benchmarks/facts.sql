-- The six fact tables under the rules of tmall-2025, as an analyst writes them for DuckDB: running numbers for rounds and
-- sessions, then GROUP BY. Views `messages` and `orders` are there; times are µs. Refunds and order lines: none in this shop.

CREATE TEMP TABLE flagged AS
SELECT *, c AND (c_before IS NULL OR NOT c_before OR day_before <> day) AS starts,
       at_before IS NULL OR sent_at - at_before >= 600000000 AS opens
FROM (SELECT shop_key, customer_key, agent_key, sent_at, day, second, row_key, "load", "row", kind = 'customer' AS c,
             lag(kind = 'customer') OVER w AS c_before, lag(sent_at) OVER w AS at_before, lag(day) OVER w AS day_before
      FROM messages WHERE kind IN ('customer', 'agent')
      WINDOW w AS (PARTITION BY customer_key, agent_key ORDER BY sent_at, "load", "row"));

CREATE TEMP TABLE talk AS
SELECT *, row_number() OVER w AS place, sum(starts::INT) OVER w AS round_no, sum(opens::INT) OVER w AS session_no
FROM flagged WINDOW w AS (PARTITION BY customer_key, agent_key ORDER BY sent_at, "load", "row");
DROP TABLE flagged;

CREATE TEMP TABLE rounds AS
SELECT * EXCLUDE (session_no, reply_at, reply_day, reply_key),
       CASE WHEN reply_day = day THEN reply_at END AS answered_at,
       CASE WHEN reply_day = day THEN (reply_at - asked_at) / 1e6 END AS wait_s,
       coalesce(reply_day = day, false) AS same_day,
       CASE WHEN reply_day = day THEN reply_key END AS answer_key,
       round_no = min(round_no) OVER (PARTITION BY customer_key, agent_key, session_no) AS opens
FROM (SELECT customer_key, agent_key, round_no, any_value(shop_key) AS shop_key,
             max(day) FILTER (starts) AS day, max(second) FILTER (starts) AS second, max(sent_at) FILTER (starts) AS asked_at,
             max(row_key) FILTER (starts) AS asked_key, max(session_no) FILTER (starts) AS session_no,
             count(*) FILTER (c) AS questions, min(sent_at) FILTER (NOT c) AS reply_at, min(day) FILTER (NOT c) AS reply_day,
             arg_min(row_key, place) FILTER (NOT c) AS reply_key
      FROM talk WHERE round_no > 0 GROUP BY ALL);

CREATE TEMP TABLE sessions AS
SELECT any_value(shop_key) AS shop_key, customer_key, agent_key, min(day) AS day, min(sent_at) AS started_at,
       max(sent_at) AS ended_at, count(*) FILTER (c) AS customer_messages, count(*) FILTER (NOT c) AS agent_messages,
       max(row_key) FILTER (opens) AS first_key
FROM talk GROUP BY customer_key, agent_key, session_no;

CREATE TEMP TABLE days AS
SELECT customer_key, agent_key, day, arg_min(c, place) AS customer_first, arg_max(c, place) AS customer_last,
       arg_min(row_key, place) AS first_key, count(DISTINCT session_no) AS sessions,
       coalesce(min(place) FILTER (c) < max(place) FILTER (NOT c), false) AS answered, min(sent_at) AS human_from,
       max(sent_at) AS human_to
FROM talk GROUP BY ALL;
DROP TABLE talk;

CREATE TEMP TABLE receptions AS
SELECT a.* EXCLUDE (transfer_from, transfer_to), d.* EXCLUDE (customer_key, agent_key, day, human_from, human_to),
       coalesce(r.rounds, 0) AS rounds, r.first_wait_s, coalesce(r.slow_rounds, 0) AS slow_rounds,
       coalesce(transfer_from < human_from, transfer_from IS NOT NULL) OR t.handed_at IS NOT NULL AS transferred_in,
       coalesce(transfer_to >= human_from, false) AS transferred_out,
       CASE WHEN customer_messages = 0 THEN 'empty'
            WHEN transfer_to >= human_from AND agent_messages = 0 AND human_to <= transfer_to THEN 'forwarded' END AS filtered
FROM (SELECT any_value(shop_key) AS shop_key, customer_key, agent_key, day,
             coalesce(min(second) FILTER (kind NOT IN ('system', 'transfer')), min(second)) AS second,
             coalesce(min(sent_at) FILTER (kind NOT IN ('system', 'transfer')), min(sent_at)) AS first_at,
             coalesce(max(sent_at) FILTER (kind NOT IN ('system', 'transfer')), max(sent_at)) AS last_at,
             count(*) FILTER (kind = 'customer') AS customer_messages, count(*) FILTER (kind = 'agent') AS agent_messages,
             count(*) FILTER (kind IN ('auto', 'robot')) AS auto_messages,
             coalesce(sum(chars) FILTER (kind = 'agent'), 0)::BIGINT AS agent_chars,
             arg_min(product_key, sent_at) FILTER (kind = 'customer' AND product_key IS NOT NULL) AS product_key,
             min(sent_at) FILTER (kind = 'transfer') AS transfer_from, max(sent_at) FILTER (kind = 'transfer') AS transfer_to
      FROM messages GROUP BY ALL) a
LEFT JOIN days d USING (customer_key, agent_key, day)
LEFT JOIN (SELECT customer_key, agent_key, day, count(*) AS rounds, arg_min_null(wait_s, round_no) AS first_wait_s,
                  count(*) FILTER (wait_s > 120) AS slow_rounds FROM rounds GROUP BY ALL) r USING (customer_key, agent_key, day)
LEFT JOIN (SELECT d.customer_key, d.agent_key, d.day, max(m.sent_at) AS handed_at FROM messages m JOIN days d
             ON d.customer_key = m.customer_key AND d.day = m.day AND d.agent_key <> m.agent_key
            AND d.human_from BETWEEN m.sent_at AND m.sent_at + 600000000
           WHERE m.kind = 'transfer' GROUP BY ALL) t USING (customer_key, agent_key, day);

CREATE TEMP TABLE near AS
SELECT o.shop_key, o.order_key, o.customer_key, o.day, s.agent_key, s.started_at AS chat_from, s.ended_at AS chat_to,
       s.started_at <= o.created_at AND s.ended_at >= o.created_at - 172800000000 AS at_order,
       coalesce(s.started_at <= o.paid_at AND s.ended_at >= o.paid_at - 172800000000, false) AS at_pay,
       coalesce(s.started_at > o.paid_at AND s.started_at <= o.paid_at + 21 * 86400000000, false) AS after_pay,
       s.ended_at >= o.created_at - 172800000000 AND s.started_at <= coalesce(o.paid_at, o.created_at) + 172800000000 AS around
FROM orders o JOIN sessions s USING (customer_key) WHERE s.agent_messages > 0;

CREATE TEMP TABLE order_service AS
WITH credit AS (
  SELECT *, 'order' AS part FROM near WHERE at_order
    QUALIFY row_number() OVER (PARTITION BY order_key ORDER BY chat_to DESC, agent_key, chat_from DESC) = 1
  UNION ALL
  SELECT *, 'pay' FROM near WHERE at_pay
    QUALIFY row_number() OVER (PARTITION BY order_key ORDER BY chat_to DESC, agent_key, chat_from DESC) = 1),
parts AS (
  FROM credit UNION ALL
  SELECT *, 'follow' FROM near WHERE after_pay AND order_key NOT IN (SELECT order_key FROM credit)
    QUALIFY row_number() OVER (PARTITION BY order_key ORDER BY chat_from, agent_key, chat_to) = 1)
SELECT * EXCLUDE (at_order, at_pay, after_pay, around) FROM (
  FROM parts UNION ALL
  SELECT *, 'assist' FROM near WHERE around AND (order_key, agent_key) NOT IN (SELECT (order_key, agent_key) FROM parts)
    QUALIFY row_number() OVER (PARTITION BY order_key, agent_key ORDER BY chat_to DESC, chat_from DESC) = 1);

CREATE TEMP TABLE order_facts AS
SELECT o.shop_key, o.order_key, o.customer_key, o.created_at, o.day, o.second, o.paid_at IS NOT NULL OR gross_fen > 0 AS paid,
       o.paid_at, (o.paid_at - o.created_at) / 1e6 AS pay_lag_s, coalesce(paid_day = o.day, false) AS paid_same_day, prepaid, status,
       items, CASE WHEN refund_fen = 0 THEN 0 WHEN refund_fen >= gross_fen THEN items ELSE 1 END AS refund_items, placed_fen,
       gross_fen, refund_fen, gross_fen - refund_fen AS net_fen, refund_fen > 0 AS refunded, NULL::BOOLEAN AS quality_refund,
       product_key, region, courier, (received_at - o.paid_at) / 1e6 AS delivery_s,
       coalesce(f.first_paid < o.created_at, false) AS returning, order_agent IS NOT NULL OR pay_agent IS NOT NULL AS served,
       CASE WHEN o.paid_at IS NULL THEN NULL WHEN order_agent = pay_agent THEN 'own_both'
            WHEN order_agent IS NOT NULL AND pay_agent IS NOT NULL THEN 'cross' WHEN order_agent IS NOT NULL THEN 'own_order'
            WHEN pay_agent IS NOT NULL THEN 'silent_order_own_pay' WHEN follow_agent IS NOT NULL THEN 'silent_followed'
            ELSE 'silent' END AS ownership,
       order_agent, pay_agent, follow_agent, coalesce(pay_agent, order_agent) AS agent_key, coalesce(assists, 0) AS assists, currency
FROM orders o
LEFT JOIN (SELECT customer_key, min(paid_at) AS first_paid FROM orders GROUP BY ALL) f USING (customer_key)
LEFT JOIN (SELECT order_key, min(agent_key) FILTER (part = 'order') AS order_agent, min(agent_key) FILTER (part = 'pay') AS pay_agent,
                  min(agent_key) FILTER (part = 'follow') AS follow_agent, count(*) FILTER (part = 'assist') AS assists
           FROM order_service GROUP BY ALL) s USING (order_key);

CREATE TEMP TABLE inquiries AS
WITH came AS (SELECT *, first_at AS asked_at, last_at + 172800000000 AS final_at FROM receptions WHERE filtered IS NULL),
inside AS (
  SELECT c.customer_key, c.agent_key, c.day, o.order_key, o.created_at AS ordered_at, o.paid, o.paid_at, o.gross_fen, o.net_fen
  FROM came c JOIN order_facts o ON o.customer_key = c.customer_key AND o.created_at BETWEEN c.asked_at AND c.final_at
  QUALIFY row_number() OVER (PARTITION BY c.customer_key, c.agent_key, c.day ORDER BY o.created_at, o.order_key) = 1)
SELECT c.shop_key, customer_key, agent_key, day, c.second, asked_at, last_at, final_at, product_key,
       coalesce(f.first_paid < asked_at, false) AS returning, i.order_key IS NOT NULL AS ordered, i.order_key, i.ordered_at,
       coalesce(i.paid, false) AS paid, i.paid_at, coalesce(i.gross_fen, 0) AS gross_fen, coalesce(i.net_fen, 0) AS net_fen,
       s.agent_key IS NOT NULL AS credited, CASE WHEN i.order_key IS NULL THEN 'inquiry' WHEN i.paid THEN 'none' ELSE 'order' END AS stage,
       first_wait_s, customer_messages, agent_messages, customer_last, transferred_in, first_key
FROM came c
LEFT JOIN inside i USING (customer_key, agent_key, day)
LEFT JOIN (SELECT customer_key, min(paid_at) AS first_paid FROM orders GROUP BY ALL) f USING (customer_key)
LEFT JOIN (SELECT order_key, agent_key FROM order_service WHERE part = 'order') s USING (order_key, agent_key)
WHERE i.order_key IS NOT NULL OR NOT EXISTS (
  SELECT 1 FROM order_facts o WHERE o.customer_key = c.customer_key AND o.created_at < c.asked_at
     AND o.created_at >= c.asked_at - 21 * 86400000000);
