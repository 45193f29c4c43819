data "cloudflare_zone" "zone" {
  filter = {
    name = var.zone
  }
}

locals {
  hosts = "http.host in {${join(" ", [for host in var.hosts : "\"${host}\""])}}"

  # In front of security-worker, which knows more: only what costs nothing to be sure of. The free plan has
  # five rules and no regular expressions.
  rules = concat(
    [
      {
        ref         = "twist_method"
        description = "Methods that no route has"
        expression  = "(${local.hosts}) and not (http.request.method in {\"GET\" \"HEAD\" \"POST\" \"OPTIONS\"})"
      },
      {
        ref         = "twist_traversal"
        description = "Paths out of a folder, however they are written"
        expression  = "(${local.hosts}) and (url_decode(http.request.uri.path, \"r\") contains \"../\" or url_decode(http.request.uri.path, \"r\") contains \"..\\\\\")"
      },
      {
        ref         = "twist_probe"
        description = "Files that others leave lying about"
        expression  = "(${local.hosts}) and (http.request.uri.path contains \"/.env\" or http.request.uri.path contains \"/.git\" or starts_with(http.request.uri.path, \"/wp-\"))"
      },
    ],
    length(var.blocked_countries) == 0 ? [] : [
      {
        ref         = "twist_country"
        description = "Countries that are not served"
        expression  = "(${local.hosts}) and (ip.src.country in {${join(" ", [for country in var.blocked_countries : "\"${country}\""])}})"
      },
    ],
  )
}

# A zone has one ruleset of this phase: whatever else is in it is removed by the first apply.
resource "cloudflare_ruleset" "firewall" {
  zone_id     = data.cloudflare_zone.zone.zone_id
  name        = "twist"
  description = "In front of the edge of every environment"
  kind        = "zone"
  phase       = "http_request_firewall_custom"

  rules = [
    for rule in local.rules : {
      ref         = rule.ref
      description = rule.description
      expression  = rule.expression
      action      = "block"
      enabled     = true
    }
  ]
}

# The free plan has one such rule: the path alone, ten seconds, by address and data centre.
resource "cloudflare_ruleset" "rate_limit" {
  zone_id     = data.cloudflare_zone.zone.zone_id
  name        = "twist"
  description = "In front of the edge of every environment"
  kind        = "zone"
  phase       = "http_ratelimit"

  rules = [
    {
      ref         = "twist_rate"
      description = "Requests of one address"
      expression  = "starts_with(http.request.uri.path, \"/api/\")"
      action      = "block"
      enabled     = true
      ratelimit = {
        characteristics     = ["cf.colo.id", "ip.src"]
        period              = 10
        requests_per_period = var.requests_per_10_seconds
        mitigation_timeout  = 10
      }
    },
  ]
}
