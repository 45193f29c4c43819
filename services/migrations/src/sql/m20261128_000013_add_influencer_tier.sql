-- The tier that was last told of an influencer, and since when. What is staked decides; the sync of tiers follows it.
ALTER TABLE influencers
    ADD COLUMN tier text NOT NULL DEFAULT 'BRONZE'
        CONSTRAINT influencers_tier CHECK (tier IN ('BRONZE', 'SILVER', 'GOLD', 'PLATINUM')),
    -- Null: never changed.
    ADD COLUMN tier_changed_at timestamptz;
