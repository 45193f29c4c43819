//! `/auth/logout`, `/auth/logout-all`, `/auth/sessions`, and `/admin/users/{uid}/logout`.

use crate::state::AppState;
use crate::store::sessions::EndReason;
use axum::extract::State;
use axum::response::NoContent;
use contracts::Code;
use contracts::auth::{SessionList, SessionsEnded};
use schemars::JsonSchema;
use serde::Deserialize;
use service::ApiError;
use service::access::{Role, Routes, Rule};
use service::auth::Principal;
use service::extract::{Json, Path};
use service::limit::RateClass;
use uuid::Uuid;

pub(super) fn router() -> Routes<AppState> {
    let user = Rule::user(RateClass::Session);
    Routes::new()
        .post("/auth/logout", user, logout, |op| {
            op.id("logout")
                .summary("End the session of the access token")
                .description(
                    "Its refresh token stops working at once, its access tokens within two seconds everywhere.",
                )
                .tag("sessions")
        })
        .post("/auth/logout-all", user, logout_all, |op| {
            op.id("logoutAll")
                .summary("End every session of the user")
                .description("On every device and of every wallet of the user, this one included.")
                .tag("sessions")
        })
        .get("/auth/sessions", user, list, |op| {
            op.id("listSessions")
                .summary("The user's open sessions, newest first")
                .tag("sessions")
        })
        .delete(
            "/auth/sessions/{id}",
            Rule::owner(RateClass::Session),
            end,
            |op| {
                op.id("endSession")
                    .summary("End one of the user's sessions")
                    .description("404 when the user has none with this id; 204 also when it was over already.")
                    .tag("sessions")
            },
        )
        .post(
            "/admin/users/{uid}/logout",
            Rule::role(Role::Operator, RateClass::Operate).fresh(),
            logout_user,
            |op| {
                op.id("logoutUser")
                    .summary("End every session of a user")
                    .description("For incidents: a stolen wallet, a leaked token.")
                    .tag("admin")
            },
        )
}

async fn logout(State(state): State<AppState>, caller: Principal) -> Result<NoContent, ApiError> {
    state
        .sessions
        .end(caller.uid, caller.session, EndReason::Logout)
        .await?;
    tracing::info!(uid = %caller.uid, sid = %caller.session, "signed out");
    Ok(NoContent)
}

async fn logout_all(
    State(state): State<AppState>,
    caller: Principal,
) -> Result<Json<SessionsEnded>, ApiError> {
    let ended = state
        .sessions
        .end_all(caller.uid, EndReason::LogoutAll)
        .await?;
    tracing::info!(uid = %caller.uid, ended, "signed out everywhere");
    Ok(Json(SessionsEnded { ended }))
}

async fn list(
    State(state): State<AppState>,
    caller: Principal,
) -> Result<Json<SessionList>, ApiError> {
    let sessions = state.sessions.list(&caller).await?;
    Ok(Json(SessionList { sessions }))
}

/// Which session.
#[derive(Debug, Deserialize, JsonSchema)]
struct SessionPath {
    /// The session's id.
    id: Uuid,
}

async fn end(
    State(state): State<AppState>,
    caller: Principal,
    Path(path): Path<SessionPath>,
) -> Result<NoContent, ApiError> {
    let reason = if path.id == caller.session {
        EndReason::Logout
    } else {
        EndReason::EndedByUser
    };
    if state.sessions.end(caller.uid, path.id, reason).await? {
        tracing::info!(uid = %caller.uid, sid = %path.id, "a session was ended by its user");
        Ok(NoContent)
    } else {
        let detail = "You have no session with this id.";
        Err(ApiError::new(Code::NotFound, detail))
    }
}

/// Which user.
#[derive(Debug, Deserialize, JsonSchema)]
struct UserPath {
    /// The user's id, the `uid` of their tokens.
    uid: Uuid,
}

async fn logout_user(
    State(state): State<AppState>,
    caller: Principal,
    Path(path): Path<UserPath>,
) -> Result<Json<SessionsEnded>, ApiError> {
    if !state.sessions.user_exists(path.uid).await? {
        return Err(ApiError::new(Code::NotFound, "There is no such user."));
    }
    let ended = state
        .sessions
        .end_all(path.uid, EndReason::Operator)
        .await?;
    tracing::warn!(operator = %caller.uid, uid = %path.uid, ended, "an operator ended the sessions of a user");
    Ok(Json(SessionsEnded { ended }))
}
