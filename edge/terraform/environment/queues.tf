resource "cloudflare_queue" "queue" {
  for_each = local.queues

  account_id = var.account_id
  queue_name = each.value

  settings = var.retention_seconds == null ? null : {
    message_retention_period = var.retention_seconds
  }
}

# A consumer names a script, which has to be there.
resource "cloudflare_queue_consumer" "worker" {
  for_each   = local.consumers
  depends_on = [module.publish]

  account_id        = var.account_id
  queue_id          = cloudflare_queue.queue[each.key].queue_id
  type              = "worker"
  script_name       = each.value.script
  dead_letter_queue = can(length(each.value.deadLetterQueue)) ? cloudflare_queue.queue[each.value.deadLetterQueue].queue_name : null

  settings = {
    batch_size       = each.value.maxBatchSize
    max_wait_time_ms = each.value.maxBatchTimeoutSeconds * 1000
    max_retries      = each.value.maxRetries
    retry_delay      = each.value.retryDelaySeconds
  }
}

# For `twistctl edge redrive`: without such a consumer a queue hands nothing out over HTTP. A message that was
# handed out max_retries times is deleted, so this is the most there is.
resource "cloudflare_queue_consumer" "dead" {
  for_each = local.dead

  account_id = var.account_id
  queue_id   = cloudflare_queue.queue[each.key].queue_id
  type       = "http_pull"

  settings = {
    batch_size            = 100
    max_retries           = 100
    visibility_timeout_ms = 120000
  }
}
