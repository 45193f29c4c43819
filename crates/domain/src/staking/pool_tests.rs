use super::*;
use proptest::prelude::*;

const USERS: usize = 20;

#[derive(Debug, Clone, Copy)]
enum Step {
    Stake(usize, u64),
    Unstake(usize, u64),
    Claim(usize),
    Distribute(u64),
}

fn units(n: u64) -> Amount {
    Amount::from_units(n).unwrap()
}

/// Amounts of every size: dust, everyday ones, and the largest there are.
fn amounts() -> impl Strategy<Value = u64> {
    prop_oneof![
        0..10u64,
        1..1_000_000_000_000u64,
        0..=i64::MAX.unsigned_abs(),
        Just(i64::MAX.unsigned_abs()),
    ]
}

fn steps(users: usize) -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        (0..users, amounts()).prop_map(|(user, n)| Step::Stake(user, n)),
        (0..users, amounts()).prop_map(|(user, n)| Step::Unstake(user, n)),
        (0..users).prop_map(Step::Claim),
        amounts().prop_map(Step::Distribute),
    ];
    prop::collection::vec(step, 1..120)
}

/// A pool with its positions, and what was put in and paid out, counted apart from it.
#[derive(Clone)]
struct World {
    pool: Pool,
    positions: Vec<Position>,
    put_in: u128,
    paid_out: u128,
}

impl World {
    fn of(users: usize) -> Self {
        Self {
            pool: Pool::default(),
            positions: vec![Position::default(); users],
            put_in: 0,
            paid_out: 0,
        }
    }

    fn run(&mut self, step: Step) -> Result<(), StakingError> {
        match step {
            Step::Stake(user, n) => {
                (self.pool, self.positions[user]) =
                    self.pool.stake(self.positions[user], units(n))?;
            }
            Step::Unstake(user, n) => {
                (self.pool, self.positions[user]) =
                    self.pool.unstake(self.positions[user], units(n))?;
            }
            Step::Claim(user) => {
                let paid;
                (self.pool, self.positions[user], paid) = self.pool.claim(self.positions[user])?;
                self.paid_out += u128::from(paid.units());
            }
            Step::Distribute(n) => {
                self.pool = self.pool.distribute(units(n))?;
                self.put_in += u128::from(n);
            }
        }
        Ok(())
    }

    fn assert_adds_up(&self) {
        let staked: u128 = self.sum(|p| p.amount.units().into());
        assert_eq!(staked, u128::from(self.pool.total_staked.units()));
        let stakers = self.positions.iter().filter(|p| !p.amount.is_zero());
        assert_eq!(stakers.count(), self.pool.staker_count as usize);
        assert_eq!(self.put_in, u128::from(self.pool.distributed.units()));
        assert_eq!(self.paid_out, u128::from(self.pool.claimed.units()));
        let claimed: u128 = self.sum(|p| p.claimed.units().into());
        assert_eq!(claimed, self.paid_out);
        // In whole units: what is claimed, pending and left over is what was distributed.
        let pending: u128 = self.sum(|p| p.pending(&self.pool).unwrap().units().into());
        let carried = self.sum(|p| p.settled(&self.pool).unwrap().carried);
        let fractions: u128 = self.sum(|p| fraction(p.settled(&self.pool).unwrap().carried));
        let left = fractions
            .checked_sub(self.pool.ahead)
            .expect("no more is ahead than positions have");
        assert_eq!(
            left % (1 << SCALE_BITS),
            0,
            "what is left over is not whole"
        );
        assert_eq!(claimed + pending + (left >> SCALE_BITS), self.put_in);
        // And to the last bit.
        assert_eq!(
            (claimed << SCALE_BITS) + carried,
            (self.put_in << SCALE_BITS) + self.pool.ahead
        );
    }

    fn sum(&self, of: impl Fn(&Position) -> u128) -> u128 {
        self.positions.iter().map(of).sum()
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn claimed_and_pending_and_left_over_is_always_what_was_distributed(
        users in 1..=USERS, steps in steps(USERS),
    ) {
        let mut world = World::of(USERS);
        for step in steps {
            let step = match step {
                Step::Stake(user, n) => Step::Stake(user % users, n),
                Step::Unstake(user, n) => Step::Unstake(user % users, n),
                Step::Claim(user) => Step::Claim(user % users),
                Step::Distribute(n) => Step::Distribute(n),
            };
            let before = (world.pool, world.positions.clone());
            match world.run(step) {
                Ok(()) => {}
                Err(StakingError::Inconsistent) => prop_assert!(false, "{step:?} overflowed"),
                Err(_) => prop_assert_eq!((world.pool, world.positions.clone()), before),
            }
            world.assert_adds_up();
        }
    }

    #[test]
    fn a_late_staker_gets_nothing_of_earlier_rewards(
        early in 1..1_000_000_000_000u64, late in 1..1_000_000_000_000u64,
        before in 1..1_000_000_000_000u64, after in 1..1_000_000_000_000u64,
    ) {
        let (pool, first) = Pool::default().stake(Position::default(), units(early)).unwrap();
        let pool = pool.distribute(units(before)).unwrap();
        let (pool, second) = pool.stake(Position::default(), units(late)).unwrap();
        prop_assert_eq!(second.pending(&pool), Ok(Amount::ZERO));
        // The first has all of it, but for what the division left.
        let got = first.pending(&pool).unwrap().units();
        prop_assert!(before - got <= 1);
        let pool = pool.distribute(units(after)).unwrap();
        let fair = u128::from(after) * u128::from(late) / u128::from(early + late);
        let got = u128::from(second.pending(&pool).unwrap().units());
        prop_assert!(fair.abs_diff(got) <= 1, "{got} instead of {fair}");
    }

    #[test]
    fn the_order_of_claims_does_not_matter(
        stakes in prop::collection::vec(1..1_000_000_000_000u64, 1..USERS),
        shares in prop::collection::vec(1..1_000_000_000_000u64, 1..10),
        order in any::<prop::sample::Index>(),
    ) {
        let mut world = World::of(stakes.len());
        for (user, n) in stakes.iter().enumerate() {
            world.run(Step::Stake(user, *n)).unwrap();
        }
        for share in shares {
            world.run(Step::Distribute(share)).unwrap();
        }
        let mut other = world.clone();
        let start = order.index(stakes.len());
        for turn in 0..stakes.len() {
            let (user, reversed) = (turn, (start + stakes.len() - turn) % stakes.len());
            let _ = (world.run(Step::Claim(user)), other.run(Step::Claim(reversed)));
        }
        prop_assert_eq!(world.positions, other.positions);
        prop_assert_eq!(world.pool, other.pool);
    }

    #[test]
    fn claiming_often_pays_no_more_than_claiming_once(
        stake in 1..1_000_000u64, other in 1..1_000_000u64,
        shares in prop::collection::vec(1..1_000u64, 1..50),
    ) {
        let mut often = World::of(2);
        often.run(Step::Stake(0, stake)).unwrap();
        often.run(Step::Stake(1, other)).unwrap();
        let mut once = often.clone();
        for share in shares {
            often.run(Step::Distribute(share)).unwrap();
            once.run(Step::Distribute(share)).unwrap();
            let _ = often.run(Step::Claim(0));
        }
        let _ = once.run(Step::Claim(0));
        prop_assert_eq!(often.positions[0].claimed, once.positions[0].claimed);
    }
}

#[test]
fn the_largest_amounts_there_are_do_not_overflow() {
    let max = i64::MAX.unsigned_abs();
    // One unit staked gets everything there can be: the largest accumulator.
    let (pool, tiny) = Pool::default()
        .stake(Position::default(), units(1))
        .unwrap();
    let pool = pool.distribute(units(max)).unwrap();
    assert_eq!(tiny.pending(&pool).unwrap().units(), max);
    assert_eq!(pool.distribute(units(1)), Err(StakingError::TooLarge));
    // Everything staked, the most that can be ahead, and the rest distributed at once.
    let (pool, huge) = Pool::default()
        .stake(Position::default(), units(max))
        .unwrap();
    let pool = pool.distribute(units(1)).unwrap();
    let pool = pool.distribute(units(max - 1)).unwrap();
    let (pool, huge, paid) = pool.claim(huge).unwrap();
    assert_eq!(paid.units(), max);
    assert_eq!(
        pool.stake(huge, units(1)).map(|_| ()),
        Err(StakingError::TooLarge)
    );
}

#[test]
fn a_share_that_is_a_whole_number_is_paid_whole() {
    let mut world = World::of(2);
    world.run(Step::Stake(0, 900_000_000_000)).unwrap();
    world.run(Step::Stake(1, 300_000_000_000)).unwrap();
    for n in 1..50u64 {
        world.run(Step::Distribute(20_000_000_000)).unwrap();
        let pending = |user: usize| world.positions[user].pending(&world.pool).unwrap().units();
        assert_eq!(
            (pending(0), pending(1)),
            (15_000_000_000 * n, 5_000_000_000 * n)
        );
    }
}

#[test]
fn with_nobody_to_get_it_nothing_is_taken() {
    assert_eq!(
        Pool::default().distribute(units(5)),
        Err(StakingError::NoStakers)
    );
}

#[test]
fn numbers_that_belong_to_another_pool_are_noticed() {
    let position = Position {
        amount: units(5),
        ..Position::default()
    };
    assert_eq!(
        Pool::default().claim(position),
        Err(StakingError::Inconsistent)
    );
    let ahead = Position {
        debt: 1,
        ..Position::default()
    };
    assert_eq!(
        Pool::default().claim(ahead),
        Err(StakingError::Inconsistent)
    );
}
