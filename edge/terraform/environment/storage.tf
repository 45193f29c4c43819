resource "cloudflare_r2_bucket" "bucket" {
  for_each = local.buckets

  account_id = var.account_id
  name       = each.value

  lifecycle {
    # The copies of accepted VAUs and the audit log are in it.
    prevent_destroy = true
  }
}

resource "cloudflare_r2_bucket_lifecycle" "bucket" {
  for_each = { for name, rules in local.lifecycles : name => rules if length(rules) > 0 }

  account_id  = var.account_id
  bucket_name = cloudflare_r2_bucket.bucket[each.key].name

  rules = [
    for rule in each.value : {
      id         = "delete ${rule.prefix} after ${rule.days} days"
      enabled    = true
      conditions = { prefix = rule.prefix }
      delete_objects_transition = {
        condition = {
          type    = "Age"
          max_age = rule.days * 86400
        }
      }
      abort_multipart_uploads_transition = {
        condition = {
          type    = "Age"
          max_age = 86400
        }
      }
    }
  ]
}

resource "cloudflare_workers_kv_namespace" "namespace" {
  for_each = local.namespaces

  account_id = var.account_id
  title      = each.value
}
