"""Who gets how much of the demo's mail: each account's share of the messages, and what of it lies elsewhere than in
the INBOX."""

ACCOUNTS = {"home": 0.4, "office": 0.4, "library": 0.15, "weather": 0.05}
ELSEWHERE = {"Archive": 0.1, "Sent": 0.04, "Lists/reading": 0.06}
