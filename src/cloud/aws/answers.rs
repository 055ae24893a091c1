//! Answers that are whole. A proxy that cuts an answer off, or a log-in page that stands in AWS's place, must not read
//! as "there is nothing": the SDK's XML parsers stop at what they do not know and give what they have.

use super::super::wrong_answer;
use aws_sdk_sts::{
    config::{ConfigBag, Intercept, RuntimeComponents, interceptors::FinalizerInterceptorContextMut},
    error::BoxError,
};
use aws_smithy_runtime_api::client::orchestrator::{Metadata, OrchestratorError};

/// Makes an error of every answer that is cut off, empty or somebody else's. The SDK tries such a call again, as it does
/// with any answer that it cannot read. For all clients.
#[derive(Debug)]
pub(super) struct WholeAnswers;

impl Intercept for WholeAnswers {
    fn name(&self) -> &'static str {
        "answers that are whole"
    }

    fn modify_before_attempt_completion(
        &self,
        context: &mut FinalizerInterceptorContextMut<'_>,
        _: &RuntimeComponents,
        config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let Some(response) = context.response().filter(|response| response.status().is_success()) else {
            return Ok(());
        };
        // The body of a streamed answer, S3's objects, is not here.
        let Some(body) = response.body().bytes() else { return Ok(()) };
        let service = config.load::<Metadata>().map(Metadata::service).unwrap_or_default();
        let xml =
            response.headers().get("content-type").is_some_and(|kind| kind.contains("xml") || kind.contains("html"));
        if let Some(wrong) = wrong_answer(service, xml, body)
            && let Some(said) = context.output_or_error_mut()
        {
            *said = Err(OrchestratorError::response(wrong.into()));
        }
        Ok(())
    }
}
