-- What the last check of the books has found, so that every instance tells the same, whichever did it.
CREATE TABLE verdicts (
    invariant   text PRIMARY KEY,
    -- How much breaks it; 0 when it holds.
    broken      integer NOT NULL CHECK (broken >= 0),
    checked_at  timestamptz NOT NULL
);

-- How far the hash chain was recomputed and found to hold. The next check goes on from there, and notices a chain that
-- was written anew before that place.
CREATE TABLE chain_proof (
    one    boolean PRIMARY KEY DEFAULT true CHECK (one),
    seals  bigint NOT NULL CHECK (seals > 0),
    head   bytea NOT NULL CHECK (length(head) = 32)
);

GRANT SELECT, INSERT, UPDATE, DELETE ON verdicts TO twist_app;
GRANT SELECT, INSERT, UPDATE ON chain_proof TO twist_app;
