data "cloudflare_zone" "zone" {
  filter = {
    name = var.zone
  }
}

# The host has no server behind it: every request is a Worker's. 100:: is the address for that.
resource "cloudflare_dns_record" "host" {
  zone_id = data.cloudflare_zone.zone.zone_id
  name    = var.host
  type    = "AAAA"
  content = "100::"
  proxied = true
  ttl     = 1
}

resource "cloudflare_workers_route" "host" {
  for_each   = toset(local.routed)
  depends_on = [module.publish]

  zone_id = data.cloudflare_zone.zone.zone_id
  pattern = "${var.host}/*"
  script  = each.value
}

# Nobody gets past security-worker by way of another name.
resource "cloudflare_workers_script_subdomain" "none" {
  for_each   = local.scripts
  depends_on = [module.publish]

  account_id       = var.account_id
  script_name      = each.value
  enabled          = false
  previews_enabled = false
}

resource "cloudflare_workers_cron_trigger" "cron" {
  for_each   = local.crons
  depends_on = [module.publish]

  account_id  = var.account_id
  script_name = each.key
  schedules   = [for cron in each.value : { cron = cron }]
}
